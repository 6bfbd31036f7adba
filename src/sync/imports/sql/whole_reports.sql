-- Question: to which reports did the import $1 write observations, and refuse none?
-- Grain:    one report.
-- Caveats:  an invalid row whose report could not be told has no entity. It may be of any of them, so it speaks against all.
SELECT entity::uuid AS id FROM import_rows
WHERE import_id = $1 AND entity IS NOT NULL
    AND NOT EXISTS (SELECT FROM import_rows WHERE import_id = $1 AND entity IS NULL AND outcome = 'invalid')
GROUP BY entity
HAVING bool_and(outcome IN ('created', 'updated', 'unchanged', 'deleted'))
ORDER BY entity
