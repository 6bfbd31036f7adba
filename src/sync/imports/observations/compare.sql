-- Question: which of these observations are there already, and do they say the same?
-- Grain:    one row for each given observation, told by its number $1; at most one stored observation has its dimensions.
-- Caveats:  the reports are locked by the caller, and whoever writes an observation locks its report first: so this is
--           still true when they are written. Each is looked for by the key, one by one: a join of all would be planned by
--           statistics, and go through the whole table where there are none yet, or through all that large reports hold.
SELECT g.n, o.id,
    (o.value, o.status, o.precision, o.note) IS NOT DISTINCT FROM (g.value, g.status, g.precision, g.note) AS same
FROM (
    SELECT unnest($1::integer[]) AS n, unnest($2::uuid[]) AS report_id, unnest($3::text[]) AS measure_code,
        unnest($4::text[]) AS area_code, unnest($5::text[]) AS basis, unnest($6::text[]) AS gender,
        unnest($7::text[]) AS age_band, unnest($8::text[]) AS subject, unnest($9::text[]) AS activity_form,
        unnest($10::double precision[]) AS value, unnest($11::text[]) AS status, unnest($12::text[]) AS precision,
        unnest($13::text[]) AS note
) AS g
LEFT JOIN LATERAL (
    SELECT id, value, status, precision, note FROM observations
    WHERE report_id = g.report_id AND measure_code = g.measure_code AND area_code = g.area_code AND basis = g.basis
        AND gender = g.gender AND age_band = g.age_band AND subject = g.subject AND activity_form = g.activity_form
    LIMIT 1
) AS o ON true
ORDER BY g.n
