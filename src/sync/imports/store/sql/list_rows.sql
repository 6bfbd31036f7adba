-- Question: what became of the rows of the import $1 behind the position $3, of the outcomes $2 if there are some, without the
--           first $4 of them, $5 at the most?
-- Grain:    one row is one row of the file, or one that `replace` deleted; a stored one tells of several in turn.
-- Caveats:  no stored row tells of more than $6, so that those behind a position are found by the key.
SELECT run.position + further AS position, run.line + further AS line, run.outcome, run.entity, run.version, run.errors,
    run.existing, run.notes
FROM (
    SELECT *, sum(rows) OVER (ORDER BY position) - rows AS before
    FROM import_rows
    WHERE import_id = $1 AND ($2 IS NULL OR outcome = ANY ($2)) AND position > $3 - $6 AND position + rows > $3 + 1
) AS run
CROSS JOIN LATERAL generate_series(greatest(0, $3 + 1 - run.position), run.rows - 1) AS further
WHERE run.before + run.rows > $4 AND run.before + further >= $4
ORDER BY run.position, further
LIMIT $5
