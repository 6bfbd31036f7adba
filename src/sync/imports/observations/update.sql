-- Question: let these observations ($1) say something else.
-- Grain:    one given row is one observation that is there, and says something else now.
-- Caveats:  they were found and compared before, under the locks of their reports.
UPDATE observations
SET value = given.value, status = given.status, precision = given.precision, note = given.note, updated_at = clock_timestamp()
FROM unnest($1::uuid[], $2::double precision[], $3::text[], $4::text[], $5::text[]) AS given (id, value, status, precision, note)
WHERE observations.id = given.id
