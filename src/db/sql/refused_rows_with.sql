-- Question: which refused rows of imports of the kind $1 may hold one of the addresses $2 or of the numbers $3?
-- Grain:    one refused row, locked.
-- Caveats:  addresses are in lower case. Digits are looked for wherever they stand, also across what is between them: who
--           asks looks closer.
SELECT import_rows.import_id, import_rows.position, import_rows.given, import_rows.errors
FROM imports JOIN import_rows ON import_rows.import_id = imports.id
CROSS JOIN LATERAL (SELECT lower(concat(given, errors) COLLATE "C") AS text) AS whole
WHERE imports.resource = $1 AND import_rows.given IS NOT NULL
    AND (EXISTS (SELECT FROM unnest($2::text[]) AS address WHERE strpos(whole.text, address) > 0)
        OR EXISTS (SELECT FROM unnest($3::text[]) AS number
            WHERE strpos(regexp_replace(whole.text, '\D', '', 'g'), number) > 0))
ORDER BY import_rows.import_id, import_rows.position
FOR UPDATE OF import_rows
