-- Question: say of these refused rows of the import $1 which report they are of.
-- Grain:    one row of the file, by its position $2, with its report $3.
-- Caveats:  the report was made for other rows, after this one was refused.
UPDATE import_rows SET entity = told.report::text
FROM unnest($2::bigint[], $3::uuid[]) AS told (position, report)
WHERE import_id = $1 AND import_rows.position = told.position
