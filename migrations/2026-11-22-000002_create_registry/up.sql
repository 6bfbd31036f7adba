-- The registry: what exists. Every kept row has the same tail: who keeps it (area_code), where it was read
-- (source_url), publication state, version, times, and a tombstone instead of a delete.

-- Sweden, its counties, municipalities, and districts of several schemes. Codes nest by prefix: 18 holds 1880
-- holds 1880R001. That is why "is this row inside that area" is a prefix test everywhere.
CREATE TABLE areas (
    code area_code PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL,
    parent_code area_code,
    scheme text NOT NULL DEFAULT 'scb',
    valid_from date,
    valid_to date,
    successor_code area_code,
    source_url text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('swedish', name) || to_tsvector('simple', name || ' ' || code)) STORED,
    CONSTRAINT area_parent_exists FOREIGN KEY (parent_code) REFERENCES areas (code),
    CONSTRAINT area_successor_exists FOREIGN KEY (successor_code) REFERENCES areas (code),
    CONSTRAINT area_kind_known CHECK (kind IN ('country', 'region', 'municipality', 'district')),
    CONSTRAINT area_code_fits_kind CHECK (CASE kind
        WHEN 'country' THEN code = 'SE' AND parent_code IS NULL
        WHEN 'region' THEN code ~ '^\d{2}$' AND parent_code = 'SE'
        WHEN 'municipality' THEN code ~ '^\d{4}$' AND parent_code = left(code, 2)
        ELSE (parent_code ~ '^\d{4}$' OR parent_code = 'SE')
             AND starts_with(code, parent_code) AND code ~ '^[0-9A-Za-z_:-]{5,60}$' END),
    CONSTRAINT area_scheme_format CHECK (scheme ~ '^[a-z0-9-]+(:[a-z0-9-]+)?$'),
    CONSTRAINT area_validity_order CHECK (valid_from <= valid_to),
    CONSTRAINT area_name_normal CHECK (name IS NFC NORMALIZED),
    CONSTRAINT area_state_known CHECK (state IN ('draft', 'published'))
);
CREATE INDEX areas_parent_idx ON areas (parent_code);
CREATE INDEX areas_successor_idx ON areas (successor_code);
CREATE INDEX areas_kind_name_idx ON areas (kind, name COLLATE "sv-SE-x-icu", code);
CREATE INDEX areas_search_idx ON areas USING gin (search);
CREATE INDEX areas_fold_idx ON areas USING gin (fold(name) gin_trgm_ops);
CREATE TRIGGER touch BEFORE UPDATE ON areas FOR EACH ROW EXECUTE FUNCTION touch();

-- A municipal culture (or music) school, with the months it opened and closed.
CREATE TABLE culture_schools (
    id uuid PRIMARY KEY,
    area_code area_code NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    opened_month month,
    closed_month month,
    website text,
    source_url text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('swedish', name) || to_tsvector('simple', name)) STORED,
    CONSTRAINT culture_school_municipality_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT culture_school_in_municipality CHECK (area_code ~ '^\d{4}$'),
    CONSTRAINT culture_school_kind_known CHECK (kind IN ('music_school', 'culture_school')),
    CONSTRAINT culture_school_month_order CHECK (opened_month::text <= closed_month::text),
    CONSTRAINT culture_school_name_normal CHECK (name IS NFC NORMALIZED),
    CONSTRAINT culture_school_state_known CHECK (state IN ('draft', 'published'))
);
CREATE UNIQUE INDEX culture_school_name_once ON culture_schools (area_code, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX culture_schools_area_idx ON culture_schools (area_code, name COLLATE "sv-SE-x-icu", id);
CREATE INDEX culture_schools_search_idx ON culture_schools USING gin (search);
CREATE INDEX culture_schools_fold_idx ON culture_schools USING gin (fold(name) gin_trgm_ops);
CREATE TRIGGER touch BEFORE UPDATE ON culture_schools FOR EACH ROW EXECUTE FUNCTION touch();

-- Organisations: civil society first, and the public bodies, funds and councils that take part.
CREATE TABLE partners (
    id uuid PRIMARY KEY,
    area_code area_code NOT NULL,
    name text NOT NULL,
    org_number text,
    category text NOT NULL,
    civil_society boolean NOT NULL GENERATED ALWAYS AS (category IN ('sports_association', 'child_youth_association',
        'cultural_association', 'ethnic_association', 'disability_organization', 'faith_community',
        'adult_education_association')) STORED,
    legal_form text,
    collective boolean NOT NULL DEFAULT false,
    description text,
    website text,
    contacts jsonb NOT NULL DEFAULT '[]',
    source_url text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('swedish', name), 'A') || setweight(to_tsvector('simple', name), 'A')
        || to_tsvector('swedish', coalesce(description, ''))) STORED,
    CONSTRAINT partner_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT partner_category_known CHECK (category IN ('sports_association', 'child_youth_association',
        'cultural_association', 'ethnic_association', 'disability_organization', 'faith_community',
        'adult_education_association', 'regional_institution', 'municipality', 'state_agency', 'foundation',
        'council', 'other')),
    CONSTRAINT partner_org_number_valid CHECK (is_org_number(org_number)),
    CONSTRAINT partner_legal_form_format CHECK (legal_form ~ '^\d{2}$'),
    CONSTRAINT partner_collective_has_no_number CHECK (NOT (collective AND org_number IS NOT NULL)),
    CONSTRAINT partner_name_normal CHECK (name IS NFC NORMALIZED),
    CONSTRAINT partner_state_known CHECK (state IN ('draft', 'published'))
);
CREATE UNIQUE INDEX partner_org_number_once ON partners (org_number) WHERE deleted_at IS NULL;
CREATE INDEX partners_area_name_idx ON partners (area_code, name COLLATE "sv-SE-x-icu", id);
CREATE INDEX partners_area_prefix_idx ON partners (area_code);
CREATE INDEX partners_search_idx ON partners USING gin (search);
CREATE INDEX partners_fold_idx ON partners USING gin (fold(name) gin_trgm_ops);
CREATE TRIGGER touch BEFORE UPDATE ON partners FOR EACH ROW EXECUTE FUNCTION touch();

-- Projects and their sub-projects.
CREATE TABLE projects (
    id uuid PRIMARY KEY,
    area_code area_code NOT NULL,
    title text NOT NULL,
    owner_id uuid,
    parent_id uuid,
    purpose text,
    goal text,
    description text,
    target_group text,
    target_age_from integer,
    target_age_to integer,
    method text,
    dissemination text,
    after_project text,
    continuation text NOT NULL DEFAULT 'unknown',
    start_month month,
    end_month month,
    time_status_percent_published integer,
    contact_town text,
    scope text NOT NULL,
    themes text[] NOT NULL DEFAULT '{}',
    source_url text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('swedish', title), 'A') || setweight(to_tsvector('simple', title), 'A')
        || to_tsvector('swedish', coalesce(purpose, '') || ' ' || coalesce(goal, '') || ' ' || coalesce(description, '')
           || ' ' || coalesce(target_group, '') || ' ' || coalesce(method, '') || ' ' || coalesce(after_project, ''))) STORED,
    CONSTRAINT project_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT project_owner_exists FOREIGN KEY (owner_id) REFERENCES partners (id),
    CONSTRAINT project_parent_exists FOREIGN KEY (parent_id) REFERENCES projects (id),
    CONSTRAINT project_not_its_own_parent CHECK (parent_id <> id),
    CONSTRAINT project_month_order CHECK (start_month::text <= end_month::text),
    CONSTRAINT project_age_order CHECK (target_age_from <= target_age_to),
    CONSTRAINT project_age_range CHECK (target_age_from BETWEEN 0 AND 120 AND target_age_to BETWEEN 0 AND 120),
    CONSTRAINT project_time_status_range CHECK (time_status_percent_published BETWEEN 0 AND 100),
    CONSTRAINT project_continuation_known CHECK (continuation IN ('all', 'partly', 'ended', 'unknown')),
    CONSTRAINT project_scope_known CHECK (scope IN ('national', 'regional', 'local')),
    CONSTRAINT project_themes_known CHECK (themes <@ ARRAY['broadened_participation', 'inclusion', 'youth_influence',
        'breaking_exclusion', 'sustainable_development', 'accessibility', 'civil_society_cooperation',
        'method_development', 'knowledge_exchange', 'competence_development']),
    CONSTRAINT project_title_normal CHECK (title IS NFC NORMALIZED),
    CONSTRAINT project_state_known CHECK (state IN ('draft', 'published'))
);
CREATE INDEX projects_area_idx ON projects (area_code, title COLLATE "sv-SE-x-icu", id);
CREATE INDEX projects_owner_idx ON projects (owner_id);
CREATE INDEX projects_parent_idx ON projects (parent_id);
CREATE INDEX projects_themes_idx ON projects USING gin (themes);
CREATE INDEX projects_search_idx ON projects USING gin (search);
CREATE INDEX projects_fold_idx ON projects USING gin (fold(title) gin_trgm_ops);
CREATE TRIGGER touch BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE project_areas (
    project_id uuid NOT NULL,
    area_code area_code NOT NULL,
    PRIMARY KEY (project_id, area_code),
    CONSTRAINT project_areas_project_exists FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT project_areas_area_exists FOREIGN KEY (area_code) REFERENCES areas (code)
);
CREATE INDEX project_areas_area_idx ON project_areas (area_code, project_id);

-- Start and end as each source states them: sources disagree, one claim is chosen.
-- Dates keep the precision of the source: YYYY, YYYY-MM or YYYY-MM-DD.
CREATE TABLE project_date_claims (
    project_id uuid NOT NULL,
    position integer NOT NULL,
    starts_on text,
    ends_on text,
    source_url text NOT NULL,
    chosen boolean NOT NULL DEFAULT false,
    PRIMARY KEY (project_id, position),
    CONSTRAINT date_claims_project_exists FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT date_claim_format CHECK (starts_on ~ '^\d{4}(-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?)?$'
        AND ends_on ~ '^\d{4}(-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?)?$'),
    CONSTRAINT date_claim_order CHECK (left(starts_on, least(length(starts_on), length(ends_on)))
        <= left(ends_on, least(length(starts_on), length(ends_on)))),
    CONSTRAINT date_claim_says_something CHECK (starts_on IS NOT NULL OR ends_on IS NOT NULL)
);
CREATE UNIQUE INDEX date_claim_chosen_once ON project_date_claims (project_id) WHERE chosen;

-- Regional collaborations of municipal culture schools. A collaboration is not a region.
CREATE TABLE collaborations (
    id uuid PRIMARY KEY,
    area_code area_code NOT NULL,
    name text NOT NULL,
    purpose text,
    description text,
    established text,
    links jsonb NOT NULL DEFAULT '[]',
    source_url text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('swedish', name), 'A') || setweight(to_tsvector('simple', name), 'A')
        || to_tsvector('swedish', coalesce(purpose, '') || ' ' || coalesce(description, ''))) STORED,
    CONSTRAINT collaboration_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT collaboration_established_format CHECK (established ~ '^\d{4}(-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?)?$'),
    CONSTRAINT collaboration_name_normal CHECK (name IS NFC NORMALIZED),
    CONSTRAINT collaboration_state_known CHECK (state IN ('draft', 'published'))
);
CREATE UNIQUE INDEX collaboration_name_once ON collaborations (lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX collaborations_area_idx ON collaborations (area_code, name COLLATE "sv-SE-x-icu", id);
CREATE INDEX collaborations_search_idx ON collaborations USING gin (search);
CREATE INDEX collaborations_fold_idx ON collaborations USING gin (fold(name) gin_trgm_ops);
CREATE TRIGGER touch BEFORE UPDATE ON collaborations FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE collaboration_regions (
    collaboration_id uuid NOT NULL,
    region_code area_code NOT NULL,
    PRIMARY KEY (collaboration_id, region_code),
    CONSTRAINT collaboration_regions_collaboration_exists FOREIGN KEY (collaboration_id) REFERENCES collaborations (id),
    CONSTRAINT collaboration_regions_region_exists FOREIGN KEY (region_code) REFERENCES areas (code),
    CONSTRAINT collaboration_region_is_region CHECK (region_code ~ '^\d{2}$')
);
CREATE INDEX collaboration_regions_region_idx ON collaboration_regions (region_code);

-- Membership over time. The administrative host is a role of a membership, so a host that is no member cannot be
-- written; two memberships of one municipality, or two hosts, never overlap.
CREATE TABLE collaboration_members (
    collaboration_id uuid NOT NULL,
    position integer NOT NULL,
    municipality_code area_code NOT NULL,
    region_code area_code NOT NULL GENERATED ALWAYS AS (left(municipality_code, 2)) STORED,
    role text NOT NULL DEFAULT 'member',
    valid_from date,
    valid_to date,
    agreement text,
    PRIMARY KEY (collaboration_id, position),
    CONSTRAINT member_collaboration_exists FOREIGN KEY (collaboration_id) REFERENCES collaborations (id),
    CONSTRAINT member_municipality_exists FOREIGN KEY (municipality_code) REFERENCES areas (code),
    CONSTRAINT member_is_municipality CHECK (municipality_code ~ '^\d{4}$'),
    CONSTRAINT member_in_collaboration_region FOREIGN KEY (collaboration_id, region_code)
        REFERENCES collaboration_regions (collaboration_id, region_code) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT member_role_known CHECK (role IN ('member', 'administrative_host')),
    CONSTRAINT member_validity_order CHECK (valid_from <= valid_to),
    CONSTRAINT member_no_overlap EXCLUDE USING gist (collaboration_id WITH =, municipality_code WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&),
    CONSTRAINT member_one_host EXCLUDE USING gist (collaboration_id WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&) WHERE (role = 'administrative_host')
);
CREATE INDEX collaboration_members_municipality_idx ON collaboration_members (municipality_code);
CREATE INDEX collaboration_members_region_idx ON collaboration_members (collaboration_id, region_code);

CREATE TABLE collaboration_goals (
    collaboration_id uuid NOT NULL,
    position integer NOT NULL,
    audience text NOT NULL,
    goal text NOT NULL,
    PRIMARY KEY (collaboration_id, position),
    CONSTRAINT goal_collaboration_exists FOREIGN KEY (collaboration_id) REFERENCES collaborations (id),
    CONSTRAINT goal_audience_known CHECK (audience IN ('children_and_young_people', 'teachers_and_managers',
        'external_cultural_actors'))
);

-- Money: of a project or of a collaboration, never of both. The amount is optional (many sources name none).
CREATE TABLE funding_lines (
    id uuid PRIMARY KEY,
    project_id uuid,
    collaboration_id uuid,
    position integer NOT NULL,
    funder_id uuid,
    kind text NOT NULL,
    amount_sek bigint,
    period_kind text NOT NULL,
    period text NOT NULL,
    note text,
    source_url text,
    CONSTRAINT funding_project_exists FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT funding_collaboration_exists FOREIGN KEY (collaboration_id) REFERENCES collaborations (id),
    CONSTRAINT funding_funder_exists FOREIGN KEY (funder_id) REFERENCES partners (id),
    CONSTRAINT funding_of_one CHECK (num_nonnulls(project_id, collaboration_id) = 1),
    CONSTRAINT funding_kind_known CHECK (kind IN ('members', 'development_grant', 'project_grant', 'fund', 'own_funds', 'other')),
    CONSTRAINT funding_amount_not_negative CHECK (amount_sek >= 0),
    CONSTRAINT funding_period_kind_known CHECK (period_kind IN ('school_year', 'calendar_year', 'project')),
    CONSTRAINT funding_period_fits_kind CHECK (CASE period_kind
        WHEN 'school_year' THEN period ~ '^\d{4}/\d{4}$' AND right(period, 4)::int = left(period, 4)::int + 1
        WHEN 'calendar_year' THEN period ~ '^\d{4}$'
        ELSE period ~ '^\d{4}(-\d{4})?$' END)
);
CREATE UNIQUE INDEX funding_position_once ON funding_lines (coalesce(project_id, collaboration_id), position);
CREATE INDEX funding_project_idx ON funding_lines (project_id);
CREATE INDEX funding_collaboration_idx ON funding_lines (collaboration_id);
CREATE INDEX funding_funder_idx ON funding_lines (funder_id);

-- Who works with whom: a partner in a project or a collaboration, at a place, in a role, for a time.
CREATE TABLE partnerships (
    id uuid PRIMARY KEY,
    area_code area_code NOT NULL,
    partner_id uuid NOT NULL,
    project_id uuid,
    collaboration_id uuid,
    culture_school_id uuid,
    role text NOT NULL,
    form text,
    description text,
    valid_from month,
    valid_to month,
    continues_after_project boolean,
    source_url text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    CONSTRAINT partnership_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT partnership_partner_exists FOREIGN KEY (partner_id) REFERENCES partners (id),
    CONSTRAINT partnership_project_exists FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT partnership_collaboration_exists FOREIGN KEY (collaboration_id) REFERENCES collaborations (id),
    CONSTRAINT partnership_culture_school_exists FOREIGN KEY (culture_school_id) REFERENCES culture_schools (id),
    CONSTRAINT partnership_of_one CHECK (num_nonnulls(project_id, collaboration_id) = 1),
    CONSTRAINT partnership_role_known CHECK (role IN ('owner', 'funder', 'partner', 'reference_group', 'host',
        'strategist_employer', 'coordinator', 'principal', 'participant')),
    CONSTRAINT partnership_form_known CHECK (form IN ('joint_activity', 'shared_premises', 'recruitment',
        'knowledge_exchange', 'outreach', 'other')),
    CONSTRAINT partnership_month_order CHECK (valid_from::text <= valid_to::text),
    CONSTRAINT partnership_continues_project_only CHECK (continues_after_project IS NULL OR project_id IS NOT NULL),
    CONSTRAINT partnership_state_known CHECK (state IN ('draft', 'published'))
);
CREATE UNIQUE INDEX partnership_once ON partnerships
    (partner_id, project_id, collaboration_id, culture_school_id, area_code, role, form, valid_from)
    NULLS NOT DISTINCT WHERE deleted_at IS NULL;
CREATE INDEX partnerships_area_idx ON partnerships (area_code);
CREATE INDEX partnerships_project_idx ON partnerships (project_id);
CREATE INDEX partnerships_collaboration_idx ON partnerships (collaboration_id);
CREATE INDEX partnerships_culture_school_idx ON partnerships (culture_school_id);
CREATE TRIGGER touch BEFORE UPDATE ON partnerships FOR EACH ROW EXECUTE FUNCTION touch();
