-- Question: what do these observations say?
-- Grain:    one row for each id that is there.
-- Caveats:  for a conflict: the observation as a row of a file would have it, not as /observations shows it.
SELECT id, jsonb_build_object('id', id, 'report', report_id, 'measure', measure_code, 'area', area_code, 'value', value,
    'status', status, 'precision', precision, 'note', note, 'updatedAt', updated_at) AS shown
FROM observations WHERE id = ANY ($1::uuid[])
