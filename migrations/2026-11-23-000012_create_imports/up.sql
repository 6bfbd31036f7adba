-- Imports: a file of rows, what is to be done with it, how far that is, and what became of every row.

CREATE TABLE imports (
    id uuid PRIMARY KEY,
    -- Who asked, as what, and where they may write: a job writes with these rights and no others.
    client_id text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint bytea NOT NULL,
    request_id uuid,
    areas text[] NOT NULL,
    -- What of.
    resource text NOT NULL,
    format text NOT NULL,
    mode text NOT NULL,
    strategy text NOT NULL,
    dry_run boolean NOT NULL,
    submit boolean NOT NULL,
    -- What `replace` may delete: the areas it holds for, if they were named, and how many rows more than a fifth.
    scope text[],
    confirm_delete bigint,
    -- Whether it was too large to be answered at once.
    queued boolean NOT NULL,
    size_bytes bigint NOT NULL,
    -- How far it is. `total` is not known before the file was read.
    state text NOT NULL,
    total bigint,
    done bigint NOT NULL DEFAULT 0,
    counts jsonb NOT NULL DEFAULT '{}',
    -- The headings of the file, for the file of its refused rows.
    headings jsonb,
    -- Why all of it was refused, or failed.
    faults jsonb NOT NULL DEFAULT '[]',
    -- Which process works at it, and until when it may be silent.
    holder uuid,
    leased_until timestamptz,
    cancel_asked boolean NOT NULL DEFAULT false,
    finished_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT import_resource_known CHECK (resource IN ('culture-schools', 'partners', 'projects', 'collaborations',
        'partnerships', 'measures', 'sources', 'observations', 'populations', 'districts')),
    CONSTRAINT import_format_known CHECK (format IN ('json', 'ndjson', 'csv', 'xlsx')),
    CONSTRAINT import_mode_known CHECK (mode IN ('atomic', 'partial')),
    CONSTRAINT import_strategy_known CHECK (strategy IN ('upsert', 'create', 'update', 'delete', 'replace')),
    CONSTRAINT import_state_known CHECK (state IN ('waiting', 'running', 'done', 'refused', 'failed', 'cancelled')),
    CONSTRAINT import_replace_is_atomic CHECK (strategy <> 'replace' OR mode = 'atomic'),
    CONSTRAINT import_ended_has_time CHECK ((state IN ('waiting', 'running')) = (finished_at IS NULL))
);
-- A key stands for one import; trying one out uses none up.
CREATE UNIQUE INDEX import_key_once ON imports (client_id, idempotency_key) WHERE NOT dry_run;
CREATE INDEX imports_client_idx ON imports (client_id, created_at);
CREATE INDEX imports_open_idx ON imports (created_at) WHERE state IN ('waiting', 'running');
CREATE INDEX imports_finished_idx ON imports (finished_at);
CREATE TRIGGER touch BEFORE UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION touch();

-- The file of an import that waits or runs, in pieces, so that any process can take it up. Gone when the import ends.
CREATE TABLE import_pieces (
    import_id uuid NOT NULL,
    position integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (import_id, position),
    CONSTRAINT import_piece_import_exists FOREIGN KEY (import_id) REFERENCES imports (id) ON DELETE CASCADE
);
-- Spreadsheets are compressed already, and all of it is read once.
ALTER TABLE import_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- What became of each row, in the order of the file; rows that `replace` deletes come after them and have no line.
CREATE TABLE import_rows (
    import_id uuid NOT NULL,
    position bigint NOT NULL,
    line bigint,
    outcome text NOT NULL,
    -- The key of what was written; of an observation, its report.
    entity text,
    version bigint,
    errors jsonb,
    -- On conflict: what is there now.
    existing jsonb,
    -- Of refused rows: the row as it came.
    given jsonb,
    PRIMARY KEY (import_id, position),
    CONSTRAINT import_row_import_exists FOREIGN KEY (import_id) REFERENCES imports (id) ON DELETE CASCADE,
    CONSTRAINT import_row_outcome_known CHECK (outcome IN ('created', 'updated', 'unchanged', 'deleted', 'conflict',
        'invalid', 'forbidden', 'gone', 'not_written'))
);
