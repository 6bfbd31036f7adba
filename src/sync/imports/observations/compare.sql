-- Question: which of these observations are there already, and do they say the same?
-- Grain:    one row for each given observation, told by its number $1; at most one stored observation has its dimensions.
-- Caveats:  the reports are locked by the caller, and whoever writes an observation locks its report first: so this is
--           still true when they are written.
SELECT g.n, o.id,
    (o.value, o.status, o.precision, o.note) IS NOT DISTINCT FROM (g.value, g.status, g.precision, g.note) AS same
FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::double precision[], $11::text[], $12::text[], $13::text[])
    AS g (n, report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value, status, precision, note)
LEFT JOIN observations AS o ON o.report_id = g.report_id AND o.measure_code = g.measure_code AND o.area_code = g.area_code
    AND o.basis = g.basis AND o.gender = g.gender AND o.age_band = g.age_band AND o.subject = g.subject
    AND o.activity_form = g.activity_form
ORDER BY g.n
