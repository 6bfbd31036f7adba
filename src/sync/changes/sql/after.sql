-- Question: which changes after a number may the reader see?
-- Grain: one row a change, in the order of the numbers.
-- Caveats: looks at a bounded number of positions ($2), so few changes do not mean that there are no more. Without areas
-- ($4 null) the reader may see the whole country.
SELECT entity_type, entity_key, seq, op, version, client_id, request_id, changed_at
FROM (SELECT * FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2) AS near
WHERE entity_type = ANY ($3)
  AND ($4 IS NULL OR scope = '*' OR EXISTS (SELECT FROM unnest($4) AS area WHERE starts_with(scope, area)))
ORDER BY seq
LIMIT $5
