-- Question: how many observations do the chosen reports have, in published measures and in drafts?
-- Grain:    one row a measure, as JSON.
-- Caveats:  needs the temporary table of choose_reports.sql.
SELECT json_build_object('measure', observation.measure_code, 'published', bool_and(measure.state = 'published'),
    'count', count(*))::text
FROM observations AS observation
JOIN chosen_reports AS chosen ON chosen.report_id = observation.report_id
JOIN measures AS measure ON measure.code = observation.measure_code AND measure.deleted_at IS NULL
GROUP BY observation.measure_code
ORDER BY observation.measure_code COLLATE "C"
