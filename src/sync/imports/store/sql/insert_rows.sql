-- Question: keep what became of these rows of the import $1.
-- Grain:    one given row is one row of the file, or one that `replace` deleted, and as many in turn ($11) as the same became of.
-- Caveats:  a second worker that wrote a part from the same row on fails here, with its part. That no part begins within
--           another one is what the lease is for: progress is written with the rows.
INSERT INTO import_rows (import_id, position, line, outcome, entity, version, errors, existing, given, notes, rows)
SELECT $1, unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::text[]), unnest($5::text[]), unnest($6::bigint[]),
    unnest($7::jsonb[]), unnest($8::jsonb[]), unnest($9::jsonb[]), unnest($10::jsonb[]), unnest($11::integer[])
