-- Question: take out of the history of the row $1 $2 every contact that is not among $3, those that the row has now.
-- Grain:    one line: from how many versions, and which contacts they were.
-- Caveats:  a contact stays as long as it is exactly one of the present ones; the order of the others is kept.
WITH gone AS (
    SELECT DISTINCT known.contact
    FROM history, jsonb_array_elements(row -> 'contacts') AS known (contact)
    WHERE entity_type = $1 AND entity_key = $2 AND NOT ($3 @> jsonb_build_array(known.contact))
), forgotten AS (
    UPDATE history
    SET row = jsonb_set(row, '{contacts}', coalesce((
        SELECT jsonb_agg(known.contact ORDER BY known.place)
        FROM jsonb_array_elements(row -> 'contacts') WITH ORDINALITY AS known (contact, place)
        WHERE $3 @> jsonb_build_array(known.contact)), '[]'))
    WHERE entity_type = $1 AND entity_key = $2 AND NOT ($3 @> (row -> 'contacts'))
    RETURNING 1
)
SELECT (SELECT count(*) FROM forgotten) AS versions, coalesce((SELECT jsonb_agg(contact) FROM gone), '[]') AS contacts
