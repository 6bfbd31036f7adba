-- Question: make these observations of any number of reports, or let them take the place of those with their dimensions.
-- Grain:    one given row is one observation; observation_once says which of its report's it is.
-- Caveats:  only rows that differ from what is there are given, and no two with the same dimensions: both were compared
--           before, under the locks of the reports.
INSERT INTO observations (id, report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value,
    status, precision, note)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::double precision[], $11::text[], $12::text[], $13::text[])
ON CONFLICT ON CONSTRAINT observation_once DO UPDATE
SET value = excluded.value, status = excluded.status, precision = excluded.precision, note = excluded.note,
    updated_at = clock_timestamp()
