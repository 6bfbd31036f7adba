-- Question: what do the chosen reports say?
-- Grain:    one row an observation of a published measure; by measure, basis, period, area, and what counts first.
-- Caveats:  needs the temporary table of choose_reports.sql. The order is what the reader relies on: an area comes
--           right before everything inside it (18, 1880, 1880R001), the country after all municipalities. Measure,
--           basis and period are sorted as one number: three texts that are the same in most rows take twice as long.
SELECT observation.measure_code, observation.basis, chosen.period_no, observation.area_code::text, chosen.no,
    observation.gender, observation.age_band, observation.subject, observation.activity_form, observation.value,
    observation.status, observation.precision, CASE WHEN measure.counted THEN NULL ELSE observation.note END
FROM observations AS observation
JOIN chosen_reports AS chosen ON chosen.report_id = observation.report_id
JOIN (
    SELECT code, row_number() OVER (ORDER BY code COLLATE "C") AS place,
        kind = 'count' AND unit IN ('persons', 'places', 'occasions') AS counted
    FROM measures
    WHERE deleted_at IS NULL AND state = 'published'
) AS measure ON measure.code = observation.measure_code
ORDER BY (measure.place * 3 + CASE observation.basis WHEN 'not_stated' THEN 0 WHEN 'provider' THEN 1 ELSE 2 END) * 32768
    + chosen.period_no, observation.area_code, chosen.no
