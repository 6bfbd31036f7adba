-- Safe retries, history of every row that clients write, and a wider audit trail.

-- What a POST was answered with, kept under the key that its client gave it, in the transaction of its effect. A row that
-- others can see belongs to a request that was carried out.
CREATE TABLE idempotency_keys (
    client_id text NOT NULL,
    key text NOT NULL,
    -- SHA-256 of method, path, query and body: the same key with another request is a mistake.
    fingerprint bytea NOT NULL,
    -- Null only inside the transaction that carries the request out.
    status integer,
    headers jsonb NOT NULL DEFAULT '{}',
    -- Null where the answer itself is not kept: it holds a secret, or is better read anew.
    body bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, key)
);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);

-- Every version of every row that clients write, as it was, with who made it.
CREATE TABLE history (
    entity_type text NOT NULL,
    entity_key text NOT NULL,
    version bigint NOT NULL,
    id uuid NOT NULL,
    version_before bigint,
    op text NOT NULL,
    at timestamptz NOT NULL,
    client_id text,
    request_id uuid,
    area_code area_code NOT NULL,
    -- Whether the row was readable in the whole country then.
    open boolean NOT NULL,
    row jsonb NOT NULL,
    PRIMARY KEY (entity_type, entity_key, version),
    CONSTRAINT history_id_once UNIQUE (id),
    CONSTRAINT history_op_known CHECK (op IN ('found', 'create', 'update', 'delete'))
);
-- The order in which the audit trail is read.
CREATE INDEX history_trail_idx ON history (at DESC NULLS LAST, id);

-- History is only added to. The one exception is erasure: contacts may be taken out of a row.
CREATE FUNCTION keep_history() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) #- '{row,contacts}' = to_jsonb(OLD) #- '{row,contacts}'
            AND (OLD.row -> 'contacts') @> (NEW.row -> 'contacts') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'rows of history are never changed';
END
$$;
CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON history FOR EACH ROW EXECUTE FUNCTION keep_history();

ALTER TABLE audit_events DROP CONSTRAINT audit_action_known;
ALTER TABLE audit_events ADD CONSTRAINT audit_action_known CHECK (action IN ('row_created', 'row_changed', 'row_deleted',
    'raw_statistics_read', 'publication_made', 'publication_withdrawn', 'report_state_changed', 'contact_erased',
    'client_created', 'client_changed', 'client_revoked', 'client_secret_created', 'client_secret_revoked'));
DROP INDEX audit_events_at_idx;
CREATE INDEX audit_events_trail_idx ON audit_events (at DESC NULLS LAST, id);

-- Who did what, in one line: events, and every version of a row. Column for column the same types on both sides and no
-- condition in either, so that the newest lines are read from both indexes without sorting everything. A version that
-- was found was nobody's doing: it has no action, and readers leave it out.
CREATE VIEW audit_trail AS
    SELECT id, at, action, client_id, request_id, area_codes, NULL::text AS entity_type, NULL::text AS entity_key,
        NULL::bigint AS version_before, NULL::bigint AS version, detail
    FROM audit_events
    UNION ALL
    SELECT id, at,
        CASE op WHEN 'create' THEN 'row_created' WHEN 'update' THEN 'row_changed' WHEN 'delete' THEN 'row_deleted' END,
        client_id, request_id, ARRAY[area_code::text COLLATE "default"], entity_type, entity_key, version_before, version,
        NULL::jsonb
    FROM history;
