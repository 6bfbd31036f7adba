-- Question: which of these observations are there already, and do they say the same?
-- Grain:    one row for each given observation, told by its number $1; at most one stored observation has its dimensions.
-- Caveats:  the reports are locked by the caller, and whoever writes an observation locks its report first: so this is
--           still true when they are written. Naming their reports ($14) once more lets them be read report by report:
--           a table that was never analysed would be gone through from its beginning for each part of a file.
SELECT g.n, o.id,
    (o.value, o.status, o.precision, o.note) IS NOT DISTINCT FROM (g.value, g.status, g.precision, g.note) AS same
FROM (
    SELECT unnest($1::integer[]) AS n, unnest($2::uuid[]) AS report_id, unnest($3::text[]) AS measure_code,
        unnest($4::text[]) AS area_code, unnest($5::text[]) AS basis, unnest($6::text[]) AS gender,
        unnest($7::text[]) AS age_band, unnest($8::text[]) AS subject, unnest($9::text[]) AS activity_form,
        unnest($10::double precision[]) AS value, unnest($11::text[]) AS status, unnest($12::text[]) AS precision,
        unnest($13::text[]) AS note
) AS g
LEFT JOIN observations AS o ON o.report_id = g.report_id AND o.measure_code = g.measure_code AND o.area_code = g.area_code
    AND o.basis = g.basis AND o.gender = g.gender AND o.age_band = g.age_band AND o.subject = g.subject
    AND o.activity_form = g.activity_form AND o.report_id = ANY ($14::uuid[])
ORDER BY g.n
