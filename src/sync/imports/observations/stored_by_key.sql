-- Question: which observations are stored under these keys?
-- Grain:    one row for each key that has an observation, in any order, with the key's number $1; no key has two.
-- Caveats:  each is looked for by itself: a join of all would be planned by statistics, and go through the whole table where
--           there are none yet, or through all that large reports hold.
SELECT g.n, o.id, o.value, o.status, o.precision, o.note
FROM (
    SELECT unnest($1::integer[]) AS n, unnest($2::uuid[]) AS report_id, unnest($3::text[]) AS measure_code,
        unnest($4::text[]) AS area_code, unnest($5::text[]) AS basis, unnest($6::text[]) AS gender,
        unnest($7::text[]) AS age_band, unnest($8::text[]) AS subject, unnest($9::text[]) AS activity_form
) AS g
CROSS JOIN LATERAL (
    SELECT id, value, status, precision, note FROM observations
    WHERE report_id = g.report_id AND measure_code = g.measure_code AND area_code = g.area_code AND basis = g.basis
        AND gender = g.gender AND age_band = g.age_band AND subject = g.subject AND activity_form = g.activity_form
    LIMIT 1
) AS o
