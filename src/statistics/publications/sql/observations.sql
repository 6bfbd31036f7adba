-- Question: what do the chosen reports say?
-- Grain:    one row an observation of a published measure; by measure, basis, period, area, and what counts first.
-- Caveats:  needs the temporary table of choose_reports.sql. The order is what the reader relies on: an area comes
--           right before everything inside it (18, 1880, 1880R001), the country after all municipalities.
SELECT observation.measure_code, observation.basis, chosen.period_no, observation.area_code::text, chosen.no,
    observation.gender, observation.age_band, observation.subject, observation.activity_form, observation.value,
    observation.status, observation.precision,
    CASE WHEN measure.kind = 'count' AND measure.unit IN ('persons', 'places', 'occasions') THEN NULL ELSE observation.note END
FROM observations AS observation
JOIN chosen_reports AS chosen ON chosen.report_id = observation.report_id
JOIN measures AS measure ON measure.code = observation.measure_code AND measure.deleted_at IS NULL AND measure.state = 'published'
ORDER BY observation.measure_code COLLATE "C", observation.basis COLLATE "C", chosen.period_no, observation.area_code, chosen.no
