-- Question: to which reports did the import $1 write observations, and refuse none?
-- Grain:    one report.
-- Caveats:  refused rows have been told their report before, if it is there. Whether one may be of any report is not seen here.
SELECT entity::uuid AS id FROM import_rows
WHERE import_id = $1 AND entity IS NOT NULL
GROUP BY entity
HAVING bool_and(outcome IN ('created', 'updated', 'unchanged', 'deleted'))
ORDER BY entity
