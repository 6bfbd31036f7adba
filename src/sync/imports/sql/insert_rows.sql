-- Question: keep what became of these rows of the import $1.
-- Grain:    one given row is one row of the file, or one that `replace` deleted.
-- Caveats:  a row is kept once: a second worker that wrote the same part fails here, with its part.
INSERT INTO import_rows (import_id, position, line, outcome, entity, version, errors, existing, given, notes)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::jsonb[], $8::jsonb[], $9::jsonb[], $10::jsonb[])
