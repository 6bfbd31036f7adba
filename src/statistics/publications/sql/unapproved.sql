-- Question: which reports of the sources $1 wait for their approval?
-- Grain:    one row a report, as JSON.
-- Caveats:  none; withdrawn and deleted reports are not waiting.
SELECT json_build_object('id', id, 'source', source_id, 'area', area_code, 'period', period, 'state', state)::text
FROM reports
WHERE source_id = ANY ($1::uuid[]) AND state IN ('draft', 'submitted') AND deleted_at IS NULL
ORDER BY area_code, first_day, id
