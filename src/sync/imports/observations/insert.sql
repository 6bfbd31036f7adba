-- Question: make these observations of any number of reports.
-- Grain:    one given row is one observation; observation_once says which of its report's it is.
-- Caveats:  none of them is there, and no two have the same dimensions: both were looked at before, under the locks of the
--           reports. So nothing asks for conflicts, which would take a fifth more time.
INSERT INTO observations (id, report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value,
    status, precision, note)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::double precision[], $11::text[], $12::text[], $13::text[])
