-- Publications: what was frozen, protected and released under a name that can be cited.

CREATE TABLE publications (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    state text NOT NULL DEFAULT 'making',
    title_sv text NOT NULL,
    title_en text NOT NULL,
    note text,
    -- Made of invented data: said in every answer.
    synthetic boolean NOT NULL DEFAULT false,
    -- The release that this one corrects.
    corrects text,
    created_by text NOT NULL,
    -- How far the making is; the heartbeat tells a making that goes on from one whose process died.
    phase text NOT NULL DEFAULT 'waiting',
    done bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    failure_sv text,
    failure_en text,
    published_at timestamptz,
    withdrawn_at timestamptz,
    withdrawn_reason text,
    successor text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    CONSTRAINT publication_name_format CHECK (name ~ '^\d{4}\.[1-9]\d{0,3}$'),
    CONSTRAINT publication_state_known CHECK (state IN ('making', 'published', 'failed', 'withdrawn')),
    CONSTRAINT publication_phase_known CHECK (phase IN ('waiting', 'validating', 'protecting', 'writing', 'done')),
    CONSTRAINT publication_published_has_time CHECK ((state IN ('published', 'withdrawn')) = (published_at IS NOT NULL)),
    CONSTRAINT publication_withdrawn_has_reason CHECK (
        (state = 'withdrawn') = (withdrawn_reason IS NOT NULL) AND (state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
    CONSTRAINT publication_failed_has_reason CHECK (
        (state = 'failed') = (failure_sv IS NOT NULL) AND (failure_sv IS NULL) = (failure_en IS NULL)),
    CONSTRAINT publication_successor_is_another CHECK (successor <> name)
);
-- A name is used once; a making that failed leaves it free.
CREATE UNIQUE INDEX publication_name_once ON publications (name) WHERE state <> 'failed';
CREATE TRIGGER touch BEFORE UPDATE ON publications FOR EACH ROW EXECUTE FUNCTION touch();

-- The secret that decides which small cells become 0. One for all publications of the same finest grid, so that a cell
-- that did not change keeps its published value. Whoever can read this table can read the reports themselves.
CREATE TABLE protection_keys (
    grid integer PRIMARY KEY,
    key bytea NOT NULL,
    CONSTRAINT protection_key_length CHECK (length(key) = 32)
);
INSERT INTO protection_keys (grid, key)
    VALUES (1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- How small a group may be shown, and down to which level a breakdown is published at all.
CREATE TABLE protection_policies (
    dimension text NOT NULL,
    code text NOT NULL,
    threshold integer NOT NULL,
    finest_level text NOT NULL,
    reason_sv text NOT NULL,
    reason_en text NOT NULL,
    PRIMARY KEY (dimension, code),
    CONSTRAINT protection_policy_dimension_known CHECK (dimension IN ('any', 'gender', 'activity_form', 'subject', 'scheme')),
    CONSTRAINT protection_policy_threshold_range CHECK (threshold BETWEEN 5 AND 100),
    CONSTRAINT protection_policy_level_known CHECK (finest_level IN ('country', 'region', 'municipality', 'district'))
);
INSERT INTO protection_policies (dimension, code, threshold, finest_level, reason_sv, reason_en) VALUES
    ('any', 'any', 5, 'district',
     'Grupper om 1–4 visas aldrig.', 'Groups of 1–4 are never shown.'),
    ('gender', 'other', 20, 'region',
     'Få personer: könet annat redovisas tidigast för län, i grupper om minst 20.',
     'Few persons: the gender other is shown for counties at the earliest, in groups of at least 20.'),
    ('activity_form', 'targeted_activity', 20, 'municipality',
     'Riktad verksamhet kan röra funktionsnedsättning eller ursprung: högst på kommunnivå, i grupper om minst 20.',
     'Targeted activity may concern disability or origin: by municipality at the finest, in groups of at least 20.'),
    ('scheme', 'deso-2018', 20, 'district', 'Mycket små områden.', 'Very small areas.'),
    ('scheme', 'deso-2025', 20, 'district', 'Mycket små områden.', 'Very small areas.');

-- What a publication was made from, and what it says of the world at that time: one document a kind, read as a whole.
CREATE TABLE publication_documents (
    publication_id uuid NOT NULL,
    kind text NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (publication_id, kind),
    CONSTRAINT publication_document_publication_exists FOREIGN KEY (publication_id) REFERENCES publications (id)
);

CREATE TABLE publication_sources (
    publication_id uuid NOT NULL,
    position integer NOT NULL,
    source_id uuid NOT NULL,
    PRIMARY KEY (publication_id, position),
    CONSTRAINT publication_source_publication_exists FOREIGN KEY (publication_id) REFERENCES publications (id),
    CONSTRAINT publication_source_exists FOREIGN KEY (source_id) REFERENCES sources (id)
);
CREATE INDEX publication_sources_source_idx ON publication_sources (source_id);

CREATE TABLE publication_findings (
    publication_id uuid NOT NULL,
    position integer NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL,
    acknowledged boolean NOT NULL DEFAULT false,
    measure_code text,
    area_code area_code,
    period text,
    source_id uuid,
    report_id uuid,
    text_sv text NOT NULL,
    text_en text NOT NULL,
    PRIMARY KEY (publication_id, position),
    CONSTRAINT publication_finding_publication_exists FOREIGN KEY (publication_id) REFERENCES publications (id),
    CONSTRAINT publication_finding_severity_known CHECK (severity IN ('error', 'warning', 'information'))
);

-- The statistics themselves. A block is what a publication says of one measure, area and period: protected cells,
-- packed (src/statistics/cube.rs), with the totals of everything inside the area already in it. A request reads one
-- block for each area and period, however many reported rows stand behind them.
CREATE TABLE publication_blocks (
    publication_id uuid NOT NULL,
    measure_code text NOT NULL,
    basis text NOT NULL,
    level smallint NOT NULL,
    period_no smallint NOT NULL,
    area_code area_code NOT NULL,
    -- Of the municipalities (or districts) that the area has, how many are in the numbers.
    reported integer NOT NULL,
    expected integer NOT NULL,
    source_nos smallint[] NOT NULL,
    -- By gender; by gender and age; by everything.
    summary bytea NOT NULL,
    ages bytea NOT NULL,
    detail bytea NOT NULL,
    -- Residents of exactly the places that the numbers are of.
    residents bytea NOT NULL,
    PRIMARY KEY (publication_id, measure_code, basis, level, period_no, area_code),
    CONSTRAINT publication_block_publication_exists FOREIGN KEY (publication_id) REFERENCES publications (id)
);
-- Packed numbers do not compress well, and reading a summary must not unpack the detail.
ALTER TABLE publication_blocks ALTER COLUMN ages SET STORAGE EXTERNAL, ALTER COLUMN detail SET STORAGE EXTERNAL;

-- The same without protection, for the owners of the areas. No query for anyone else names this table.
CREATE TABLE publication_raw_blocks (
    LIKE publication_blocks INCLUDING STORAGE,
    PRIMARY KEY (publication_id, measure_code, basis, level, period_no, area_code),
    CONSTRAINT publication_raw_block_publication_exists FOREIGN KEY (publication_id) REFERENCES publications (id)
);

-- Figures that cannot be summed or that others have published already: shares, money, ranks. They pass as they are.
CREATE TABLE publication_figures (
    publication_id uuid NOT NULL,
    measure_code text NOT NULL,
    basis text NOT NULL,
    level smallint NOT NULL,
    period_no smallint NOT NULL,
    area_code area_code NOT NULL,
    gender text NOT NULL,
    age_band text NOT NULL,
    subject text NOT NULL,
    activity_form text NOT NULL,
    value double precision,
    status text NOT NULL,
    precision text NOT NULL,
    source_no smallint NOT NULL,
    note text,
    PRIMARY KEY (publication_id, measure_code, basis, level, period_no, area_code, gender, age_band, subject, activity_form),
    CONSTRAINT publication_figure_publication_exists FOREIGN KEY (publication_id) REFERENCES publications (id)
);

-- Who has done what that others must be able to look up later. Rows are added, never changed.
CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL,
    client_id text NOT NULL,
    request_id uuid,
    area_codes text[] NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT audit_action_known CHECK (action IN ('raw_statistics_read', 'publication_made', 'publication_withdrawn'))
);
CREATE INDEX audit_events_at_idx ON audit_events (at);
CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
