-- Checkpoints: where the jobs of a client are in the feed, kept here under a name. They have no history: a job that
-- follows moves its own twice a minute, and what it moved past is in the feed.
CREATE TABLE checkpoints (
    id uuid PRIMARY KEY,
    client_id text NOT NULL,
    name text NOT NULL,
    cursor text NOT NULL,
    -- The number in the cursor, to see how far behind it is.
    seq bigint NOT NULL,
    note text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT checkpoint_once UNIQUE (client_id, name),
    CONSTRAINT checkpoint_name_format CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$')
);
CREATE TRIGGER touch BEFORE UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION touch();

-- Fifty for each client: one for each job and kind, and room to make mistakes.
CREATE FUNCTION check_checkpoints() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(731170801, hashtext(NEW.client_id));
    IF (SELECT count(*) FROM checkpoints WHERE client_id = NEW.client_id) >= 50 THEN
        RAISE EXCEPTION 'client % has fifty checkpoints', NEW.client_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'checkpoint_at_most_fifty', TABLE = 'checkpoints';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER check_checkpoints BEFORE INSERT ON checkpoints FOR EACH ROW EXECUTE FUNCTION check_checkpoints();
