-- The versions of clients are kept as those of other rows. They are not told twice in the trail: events of their own say
-- what was done to clients, and which areas that concerns; a version has one area.
CREATE OR REPLACE VIEW audit_trail AS
    SELECT id, at, action, client_id, request_id, area_codes, NULL::text AS entity_type, NULL::text AS entity_key,
        NULL::bigint AS version_before, NULL::bigint AS version, detail
    FROM audit_events
    UNION ALL
    SELECT id, at,
        CASE WHEN entity_type = 'clients' THEN NULL
            WHEN op = 'create' THEN 'row_created' WHEN op = 'update' THEN 'row_changed' WHEN op = 'delete' THEN 'row_deleted' END,
        client_id, request_id, ARRAY[area_code::text COLLATE "default"], entity_type, entity_key, version_before, version,
        NULL::jsonb
    FROM history;

-- What the trail tells of one publication.
CREATE INDEX audit_events_publication_idx ON audit_events ((detail ->> 'publication'))
    WHERE action IN ('publication_made', 'publication_withdrawn');
