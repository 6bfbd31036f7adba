-- Question: make these observations of any number of reports.
-- Grain:    one given row is one observation; observation_once says which of its report's it is.
-- Caveats:  none of them is there, and no two have the same dimensions: both were looked at before, under the locks of the
--           reports. So nothing asks for conflicts, which would take a fifth more time. Arrays that are unnested side by
--           side are not put down in between, as those in FROM are.
INSERT INTO observations (id, report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value,
    status, precision, note)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[]), unnest($6::text[]),
    unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::double precision[]), unnest($11::text[]),
    unnest($12::text[]), unnest($13::text[])
