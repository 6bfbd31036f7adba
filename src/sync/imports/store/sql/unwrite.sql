-- Question: say of the rows of the import $1 that were good that nothing of them was written.
-- Grain:    one row of the file.
-- Caveats:  rows that `replace` would have deleted are none of the file; they are removed by the caller.
UPDATE import_rows
SET outcome = 'not_written', version = NULL, entity = CASE WHEN outcome = 'created' THEN NULL ELSE entity END
WHERE import_id = $1 AND outcome IN ('created', 'updated', 'unchanged', 'deleted')
