DROP INDEX audit_events_publication_idx;
CREATE OR REPLACE VIEW audit_trail AS
    SELECT id, at, action, client_id, request_id, area_codes, NULL::text AS entity_type, NULL::text AS entity_key,
        NULL::bigint AS version_before, NULL::bigint AS version, detail
    FROM audit_events
    UNION ALL
    SELECT id, at,
        CASE op WHEN 'create' THEN 'row_created' WHEN 'update' THEN 'row_changed' WHEN 'delete' THEN 'row_deleted' END,
        client_id, request_id, ARRAY[area_code::text COLLATE "default"], entity_type, entity_key, version_before, version,
        NULL::jsonb
    FROM history;
