-- Question: which approved reports do the sources $1 have?
-- Grain:    one row a report, as JSON, in the order of precedence for what several of them say.
-- Caveats:  within one source, the report of the smallest area comes first: a municipality knows itself better than
--           the country does. The days of a period may differ between reports (school years begin on different days).
SELECT json_build_object('id', report.id, 'version', report.version, 'source', chosen.position - 1, 'area', report.area_code,
    'kind', report.period_kind, 'period', report.period, 'first_day', report.first_day, 'last_day', report.last_day,
    'approved_at', report.approved_at)::text
FROM unnest($1::uuid[]) WITH ORDINALITY AS chosen (id, position)
JOIN reports AS report ON report.source_id = chosen.id
WHERE report.state = 'approved' AND report.deleted_at IS NULL
ORDER BY chosen.position, report.area_code = 'SE', length(report.area_code) DESC, report.id
