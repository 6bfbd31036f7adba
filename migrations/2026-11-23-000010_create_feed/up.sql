-- The change feed: what changed last about each row, numbered at commit.

-- CACHE 1: a larger cache hands blocks of numbers to sessions, which then commit out of order.
CREATE SEQUENCE change_seq AS bigint CACHE 1;

-- The newest change only, one row for each row and scope. Scope is '*' for what every reader of the registry may see,
-- otherwise the area inside which a reader must be.
CREATE TABLE changes (
    entity_type text NOT NULL,
    entity_key text NOT NULL,
    scope text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    op text NOT NULL,
    version bigint NOT NULL,
    client_id text,
    request_id uuid,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity_type, entity_key, scope),
    CONSTRAINT change_seq_once UNIQUE (seq),
    CONSTRAINT change_op_known CHECK (op IN ('upsert', 'delete', 'leave'))
);
-- Found by their age when they are purged.
CREATE INDEX changes_ended_idx ON changes (changed_at) WHERE op <> 'upsert';

-- Deletions are kept for a time: those up to this number may have been purged.
CREATE TABLE feed_retention (
    single boolean PRIMARY KEY DEFAULT true,
    oldest_seq bigint NOT NULL DEFAULT 0,
    CONSTRAINT feed_retention_one_row CHECK (single)
);
INSERT INTO feed_retention DEFAULT VALUES;

-- Whose numbers they are. A promoted standby, a restored dump and a copy of the database are others than the one that
-- handed out the numbers before: an epoch begins there.
CREATE TABLE feed_epochs (
    number integer PRIMARY KEY,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    identity text NOT NULL,
    first_seq bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The cluster, the database in it, the table in that, and the timeline, which changes when a standby is promoted or a
-- backup is rolled forward.
CREATE FUNCTION feed_identity() RETURNS text
    LANGUAGE sql
    AS $$
    SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()), 'changes'::regclass::oid,
        left(pg_walfile_name(pg_current_wal_lsn()), 8))
$$;

-- Everything that is numbered or purged holds this lock until it is visible.
CREATE FUNCTION feed_lock() RETURNS void
    LANGUAGE sql
    AS $$ SELECT pg_advisory_xact_lock(7311708000000000001) $$;

-- Begins an epoch if this is another database than the one that handed out the last numbers. The numbers go on far
-- beyond every number that the other one can have handed out and lost.
CREATE FUNCTION feed_begin_epoch() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    here CONSTANT text := feed_identity();
    newest feed_epochs;
    last bigint;
BEGIN
    PERFORM feed_lock();
    SELECT * INTO newest FROM feed_epochs ORDER BY number DESC LIMIT 1;
    IF newest.identity = here THEN
        RETURN;
    END IF;
    -- What is here, not what the sequence says: that is logged in advance, and runs ahead after a crash.
    SELECT greatest(max(seq), (SELECT oldest_seq FROM feed_retention)) INTO last FROM changes;
    IF newest.identity IS NOT NULL THEN
        PERFORM setval('change_seq', greatest(last, (SELECT last_value FROM change_seq)) + 1000000);
    END IF;
    INSERT INTO feed_epochs (number, identity, first_seq) VALUES (coalesce(newest.number, 0) + 1, here, last + 1);
END
$$;
SELECT feed_begin_epoch();

CREATE FUNCTION feed_put(of_type text, of_key text, in_scope text, what text, at_version bigint) RETURNS void
    LANGUAGE sql
    AS $$
    INSERT INTO changes (entity_type, entity_key, scope, seq, op, version, client_id, request_id, changed_at)
    VALUES (of_type, of_key, in_scope, nextval('change_seq'), what, at_version,
            nullif(current_setting('samverkan.client', true), ''),
            nullif(current_setting('samverkan.request', true), '')::uuid, clock_timestamp())
    ON CONFLICT (entity_type, entity_key, scope) DO UPDATE
    SET seq = excluded.seq, op = excluded.op, version = excluded.version, client_id = excluded.client_id,
        request_id = excluded.request_id, changed_at = excluded.changed_at
$$;

-- Runs at commit, as a deferred constraint trigger: the lock is the last thing that a transaction takes, and is held
-- until its changes are visible. So a smaller number is never visible later than a larger one.
CREATE FUNCTION feed_emit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    of_type CONSTANT text := TG_ARGV[0];
    it record;
    was record;
    of_key text;
    scope text;
    old_scope text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        it := OLD;
        was := OLD;
        -- A tombstone that is removed has been told of.
        IF it.deleted_at IS NOT NULL THEN
            RETURN NULL;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        it := NEW;
        was := OLD;
        IF it.version = was.version THEN
            RETURN NULL;
        END IF;
    ELSE
        it := NEW;
        was := NEW;
    END IF;
    IF of_type = 'districts' THEN
        -- Counties and municipalities are the same for everybody, and change with a release.
        IF it.kind <> 'district' THEN
            RETURN NULL;
        END IF;
        of_key := it.code;
        scope := CASE WHEN it.state = 'published' THEN '*' ELSE it.code END;
        old_scope := CASE WHEN was.state = 'published' THEN '*' ELSE was.code END;
    ELSIF of_type = 'measures' THEN
        of_key := it.code;
        scope := CASE WHEN it.state = 'published' THEN '*' ELSE 'SE' END;
        old_scope := CASE WHEN was.state = 'published' THEN '*' ELSE 'SE' END;
    ELSIF of_type = 'reports' THEN
        of_key := it.id;
        scope := it.area_code;
        old_scope := was.area_code;
    ELSIF of_type = 'populations' THEN
        of_key := it.id;
        scope := '*';
        old_scope := '*';
    ELSE
        of_key := it.id;
        scope := CASE WHEN it.state = 'published' THEN '*' ELSE it.area_code END;
        old_scope := CASE WHEN was.state = 'published' THEN '*' ELSE was.area_code END;
    END IF;
    PERFORM feed_lock();
    -- Once a session, before its first number: a session that outlives a promotion could not write before it.
    IF current_setting('samverkan.epoch_seen', true) IS DISTINCT FROM 'yes' THEN
        PERFORM feed_begin_epoch();
        PERFORM set_config('samverkan.epoch_seen', 'yes', false);
    END IF;
    IF scope <> old_scope AND was.deleted_at IS NULL THEN
        PERFORM feed_put(of_type, of_key, old_scope, 'leave', it.version);
    END IF;
    IF TG_OP = 'DELETE' THEN
        PERFORM feed_put(of_type, of_key, scope, 'delete', it.version + 1);
    ELSIF it.deleted_at IS NULL THEN
        PERFORM feed_put(of_type, of_key, scope, 'upsert', it.version);
    ELSE
        PERFORM feed_put(of_type, of_key, scope, 'delete', it.version);
    END IF;
    -- Commits are one after the other here already, so the lock that NOTIFY takes costs nothing more.
    PERFORM pg_notify('samverkan_changes', '');
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON areas
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('districts');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON culture_schools
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('culture-schools');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON partners
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('partners');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON projects
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('projects');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON collaborations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('collaborations');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON partnerships
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('partnerships');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON measures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('measures');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON sources
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('sources');
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON populations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('populations');
-- Whatever changes an observation makes a new version of its report, so observations need no trigger of their own.
CREATE CONSTRAINT TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON reports
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_emit('reports');

-- What exists already gets its number now, in the order in which it was made.
SELECT feed_put(of_type, of_key, scope, CASE WHEN gone THEN 'delete' ELSE 'upsert' END, version)
FROM (
    SELECT 'districts' AS of_type, code::text AS of_key, CASE WHEN state = 'published' THEN '*' ELSE code::text END AS scope,
           version, deleted_at IS NOT NULL AS gone, created_at FROM areas WHERE kind = 'district'
    UNION ALL SELECT 'culture-schools', id::text, CASE WHEN state = 'published' THEN '*' ELSE area_code::text END, version, deleted_at IS NOT NULL, created_at FROM culture_schools
    UNION ALL SELECT 'partners', id::text, CASE WHEN state = 'published' THEN '*' ELSE area_code::text END, version, deleted_at IS NOT NULL, created_at FROM partners
    UNION ALL SELECT 'projects', id::text, CASE WHEN state = 'published' THEN '*' ELSE area_code::text END, version, deleted_at IS NOT NULL, created_at FROM projects
    UNION ALL SELECT 'collaborations', id::text, CASE WHEN state = 'published' THEN '*' ELSE area_code::text END, version, deleted_at IS NOT NULL, created_at FROM collaborations
    UNION ALL SELECT 'partnerships', id::text, CASE WHEN state = 'published' THEN '*' ELSE area_code::text END, version, deleted_at IS NOT NULL, created_at FROM partnerships
    UNION ALL SELECT 'measures', code, CASE WHEN state = 'published' THEN '*' ELSE 'SE' END, version, deleted_at IS NOT NULL, created_at FROM measures
    UNION ALL SELECT 'sources', id::text, CASE WHEN state = 'published' THEN '*' ELSE area_code::text END, version, deleted_at IS NOT NULL, created_at FROM sources
    UNION ALL SELECT 'populations', id::text, '*', version, deleted_at IS NOT NULL, created_at FROM populations
    UNION ALL SELECT 'reports', id::text, area_code::text, version, deleted_at IS NOT NULL, created_at FROM reports
    ORDER BY created_at
) AS existing;
