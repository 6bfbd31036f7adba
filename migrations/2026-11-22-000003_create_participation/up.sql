-- Participation: what was reported, by whom, of which area, for which period.

-- What a number means. A share names what it counts (numerator) and what it is a share of (denominator): a share
-- without its numerator's meaning cannot be stored.
CREATE TABLE measures (
    code text PRIMARY KEY,
    kind text NOT NULL,
    unit text NOT NULL,
    label_sv text NOT NULL,
    label_en text NOT NULL,
    definition_sv text NOT NULL,
    definition_en text NOT NULL,
    numerator_code text,
    denominator text,
    denominator_age_band text,
    source_url text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    CONSTRAINT measure_code_format CHECK (code ~ '^[a-z][a-z0-9_]{1,59}$'),
    CONSTRAINT measure_kind_known CHECK (kind IN ('count', 'share', 'change', 'money', 'rank', 'flag')),
    CONSTRAINT measure_unit_known CHECK (unit IN ('persons', 'places', 'occasions', 'percent', 'sek', 'municipalities',
        'subjects', 'categories', 'rank', 'boolean')),
    CONSTRAINT measure_numerator_exists FOREIGN KEY (numerator_code) REFERENCES measures (code),
    CONSTRAINT measure_denominator_known CHECK (denominator IN ('residents', 'municipalities', 'pupils', 'pupil_places',
        'schools', 'earlier_period', 'not_stated')),
    CONSTRAINT measure_share_names_both CHECK (
        CASE WHEN kind IN ('share', 'change') THEN numerator_code IS NOT NULL AND denominator IS NOT NULL
             ELSE numerator_code IS NULL AND denominator IS NULL END),
    CONSTRAINT measure_age_band_of_residents CHECK (denominator_age_band IS NULL OR denominator IN ('residents', 'pupils')),
    CONSTRAINT measure_age_band_format CHECK (denominator_age_band ~ '^\d{1,3}-\d{1,3}$'),
    CONSTRAINT measure_share_is_percent CHECK ((kind IN ('share', 'change')) = (unit = 'percent')),
    CONSTRAINT measure_state_known CHECK (state IN ('draft', 'published'))
);
CREATE INDEX measures_numerator_idx ON measures (numerator_code);
CREATE TRIGGER touch BEFORE UPDATE ON measures FOR EACH ROW EXECUTE FUNCTION touch();

-- Where a series of a measure starts anew: numbers before and after are not comparable.
CREATE TABLE series_breaks (
    measure_code text NOT NULL,
    first_period text NOT NULL,
    reason_sv text NOT NULL,
    reason_en text NOT NULL,
    source_url text,
    PRIMARY KEY (measure_code, first_period),
    CONSTRAINT series_break_measure_exists FOREIGN KEY (measure_code) REFERENCES measures (code),
    CONSTRAINT series_break_period_format CHECK (first_period ~ '^\d{4}(/\d{4})?$')
);

-- What a reader of a measure must or should know.
CREATE TABLE measure_notes (
    measure_code text NOT NULL,
    position integer NOT NULL,
    mandatory boolean NOT NULL,
    area_code area_code,
    period text,
    text_sv text NOT NULL,
    text_en text NOT NULL,
    source_url text,
    PRIMARY KEY (measure_code, position),
    CONSTRAINT measure_note_measure_exists FOREIGN KEY (measure_code) REFERENCES measures (code),
    CONSTRAINT measure_note_area_exists FOREIGN KEY (area_code) REFERENCES areas (code)
);
CREATE INDEX measure_notes_area_idx ON measure_notes (area_code);

-- Where numbers come from: a page, a report, a municipality's own return.
CREATE TABLE sources (
    id uuid PRIMARY KEY,
    area_code area_code NOT NULL,
    title text NOT NULL,
    publisher text NOT NULL,
    url text,
    published_on text,
    official_statistics boolean NOT NULL DEFAULT false,
    note text,
    state text NOT NULL DEFAULT 'published',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('swedish', title), 'A') || to_tsvector('simple', title || ' ' || publisher)) STORED,
    CONSTRAINT source_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT source_published_format CHECK (published_on ~ '^\d{4}(-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?)?$'),
    CONSTRAINT source_title_normal CHECK (title IS NFC NORMALIZED),
    CONSTRAINT source_state_known CHECK (state IN ('draft', 'published'))
);
CREATE UNIQUE INDEX source_url_once ON sources (url) WHERE deleted_at IS NULL;
CREATE INDEX sources_area_idx ON sources (area_code);
CREATE INDEX sources_search_idx ON sources USING gin (search);
CREATE INDEX sources_fold_idx ON sources USING gin (fold(title) gin_trgm_ops);
CREATE TRIGGER touch BEFORE UPDATE ON sources FOR EACH ROW EXECUTE FUNCTION touch();

-- What one source says of one area for one period: the unit of writing, approval, access and sync.
CREATE TABLE reports (
    id uuid PRIMARY KEY,
    source_id uuid NOT NULL,
    area_code area_code NOT NULL,
    period_kind text NOT NULL,
    period text NOT NULL,
    first_day date,
    last_day date,
    state text NOT NULL DEFAULT 'draft',
    note text,
    withdrawn_reason text,
    submitted_by text,
    submitted_at timestamptz,
    approved_by text,
    approved_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    CONSTRAINT report_source_exists FOREIGN KEY (source_id) REFERENCES sources (id),
    CONSTRAINT report_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT report_state_known CHECK (state IN ('draft', 'submitted', 'approved', 'withdrawn')),
    CONSTRAINT report_period_kind_known CHECK (period_kind IN ('year', 'school_year', 'term', 'range', 'undated')),
    CONSTRAINT report_period_fits_kind CHECK (CASE period_kind
        WHEN 'year' THEN period ~ '^\d{4}$'
        WHEN 'school_year' THEN period ~ '^\d{4}/\d{4}$' AND right(period, 4)::int = left(period, 4)::int + 1
        WHEN 'term' THEN period ~ '^\d{4}(VT|HT)$'
        WHEN 'range' THEN period ~ '^\d{4}(-\d{2})?--?\d{4}(-\d{2})?$'
        ELSE length(period) BETWEEN 1 AND 200 END),
    CONSTRAINT report_days_given CHECK ((period_kind = 'undated') = (first_day IS NULL)
        AND (first_day IS NULL) = (last_day IS NULL)),
    CONSTRAINT report_day_order CHECK (first_day <= last_day),
    CONSTRAINT report_withdrawn_has_reason CHECK ((state = 'withdrawn') = (withdrawn_reason IS NOT NULL)),
    CONSTRAINT report_approved_was_submitted CHECK (approved_at IS NULL OR submitted_at IS NOT NULL)
);
CREATE UNIQUE INDEX report_once ON reports (source_id, area_code, period_kind, period)
    WHERE deleted_at IS NULL AND state <> 'withdrawn';
CREATE INDEX reports_area_idx ON reports (area_code, first_day);
CREATE INDEX reports_source_idx ON reports (source_id);
CREATE TRIGGER touch BEFORE UPDATE ON reports FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE observations (
    id uuid PRIMARY KEY,
    report_id uuid NOT NULL,
    measure_code text NOT NULL,
    area_code area_code NOT NULL,
    basis text NOT NULL DEFAULT 'not_stated',
    gender text NOT NULL DEFAULT 'total',
    age_band text NOT NULL DEFAULT 'all',
    subject text NOT NULL DEFAULT 'all',
    activity_form text NOT NULL DEFAULT 'all',
    value double precision,
    status text NOT NULL DEFAULT 'reported',
    precision text NOT NULL DEFAULT 'exact',
    note text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT observation_report_exists FOREIGN KEY (report_id) REFERENCES reports (id),
    CONSTRAINT observation_measure_exists FOREIGN KEY (measure_code) REFERENCES measures (code),
    CONSTRAINT observation_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT observation_once UNIQUE (report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form),
    CONSTRAINT observation_basis_known CHECK (basis IN ('provider', 'residence', 'not_stated')),
    CONSTRAINT observation_gender_known CHECK (gender IN ('total', 'girls', 'boys', 'other')),
    CONSTRAINT observation_age_band_format CHECK (age_band = 'all' OR (age_band ~ '^\d{1,3}-\d{1,3}$'
        AND split_part(age_band, '-', 1)::int <= split_part(age_band, '-', 2)::int)),
    CONSTRAINT observation_subject_known CHECK (subject IN ('all', 'visual_arts', 'circus', 'dance', 'film_animation',
        'photography', 'music_instrument_vocal', 'music_ensemble', 'musical', 'writing', 'crafts', 'theatre_drama', 'other')),
    CONSTRAINT observation_activity_form_known CHECK (activity_form IN ('all', 'subject_course', 'subject_course_long',
        'subject_course_short', 'open_activity', 'targeted_activity', 'commissioned_activity', 'voluntary_activity')),
    CONSTRAINT observation_status_known CHECK (status IN ('reported', 'estimated', 'provisional', 'missing_not_submitted',
        'not_collected', 'not_yet_published', 'not_applicable')),
    CONSTRAINT observation_precision_known CHECK (precision IN ('exact', 'about', 'more_than', 'less_than')),
    CONSTRAINT observation_value_fits_status CHECK (
        (value IS NOT NULL) = (status IN ('reported', 'estimated', 'provisional'))),
    CONSTRAINT observation_value_finite CHECK (value BETWEEN -1e15 AND 1e15)
);
CREATE INDEX observations_measure_area_idx ON observations (measure_code, area_code);
CREATE INDEX observations_area_idx ON observations (area_code);

-- The value must be possible for its measure: counts are whole and not negative, shares lie in 0-100, flags are 0 or 1;
-- and the area must be the report's area or one inside it.
CREATE FUNCTION check_observation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    measure_kind text;
    report_area text;
BEGIN
    SELECT kind INTO measure_kind FROM measures WHERE code = NEW.measure_code;
    IF NOT coalesce(CASE measure_kind
            WHEN 'count' THEN NEW.value >= 0 AND NEW.value = floor(NEW.value)
            WHEN 'rank' THEN NEW.value >= 1 AND NEW.value = floor(NEW.value)
            WHEN 'share' THEN NEW.value BETWEEN 0 AND 100
            WHEN 'money' THEN NEW.value >= 0
            WHEN 'flag' THEN NEW.value IN (0, 1)
            ELSE true END, true) THEN
        RAISE EXCEPTION 'value % is impossible for a %', NEW.value, measure_kind
            USING ERRCODE = 'check_violation', CONSTRAINT = 'observation_value_fits_measure', TABLE = 'observations';
    END IF;
    SELECT area_code INTO report_area FROM reports WHERE id = NEW.report_id;
    IF report_area <> 'SE' AND NOT starts_with(NEW.area_code, report_area) THEN
        RAISE EXCEPTION 'area % is not inside %', NEW.area_code, report_area
            USING ERRCODE = 'check_violation', CONSTRAINT = 'observation_area_inside_report', TABLE = 'observations';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER check_observation BEFORE INSERT OR UPDATE ON observations FOR EACH ROW EXECUTE FUNCTION check_observation();

-- Denominators. Parts need not add up to totals: SCB moves every value by a small random number since 2025.
CREATE TABLE populations (
    id uuid PRIMARY KEY,
    area_code area_code NOT NULL,
    year integer NOT NULL,
    gender text NOT NULL,
    age_from integer NOT NULL,
    age_to integer NOT NULL,
    value integer NOT NULL,
    reference_date date NOT NULL,
    source_id uuid NOT NULL,
    note text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    CONSTRAINT population_area_exists FOREIGN KEY (area_code) REFERENCES areas (code),
    CONSTRAINT population_source_exists FOREIGN KEY (source_id) REFERENCES sources (id),
    CONSTRAINT population_year_range CHECK (year BETWEEN 1749 AND 2200),
    CONSTRAINT population_gender_known CHECK (gender IN ('total', 'girls', 'boys', 'other')),
    CONSTRAINT population_age_order CHECK (age_from BETWEEN 0 AND 120 AND age_to BETWEEN age_from AND 120),
    CONSTRAINT population_not_negative CHECK (value >= 0)
);
CREATE UNIQUE INDEX population_once ON populations (area_code, reference_date, gender, age_from, age_to, source_id)
    WHERE deleted_at IS NULL;
CREATE INDEX populations_area_year_idx ON populations (area_code, year);
CREATE INDEX populations_source_idx ON populations (source_id);
CREATE TRIGGER touch BEFORE UPDATE ON populations FOR EACH ROW EXECUTE FUNCTION touch();
