-- Question: keep these versions of rows of the kind $1, made by the client $2 in the request $3.
-- Grain:    one given version of one row; one that is kept already stays as it is.
-- Caveats:  a version that was found is nobody's.
INSERT INTO history (entity_type, entity_key, version, id, version_before, op, at, client_id, request_id, area_code, open, row)
SELECT $1, key, version, id, version_before, op, at, CASE WHEN op <> 'found' THEN $2 END, CASE WHEN op <> 'found' THEN $3 END,
    area_code, open, row
FROM unnest($4::text[], $5::bigint[], $6::uuid[], $7::bigint[], $8::text[], $9::timestamptz[], $10::text[], $11::boolean[], $12::jsonb[])
    AS given (key, version, id, version_before, op, at, area_code, open, row)
ON CONFLICT DO NOTHING
