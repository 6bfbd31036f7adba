-- Whether the report, the measure and the area of an observation exist is asked once for all rows of a statement: asked row
-- by row, as foreign keys are, it took longer than writing them (of 100 000 rows 2.9 s of 5.3). It is the same promise, by
-- the same locks: who writes an observation takes FOR KEY SHARE of what it names, and who deletes that, or gives it another
-- key, looks for observations when it has the row. Of the two, the later one sees the earlier.
ALTER TABLE observations
    DROP CONSTRAINT observation_report_exists,
    DROP CONSTRAINT observation_measure_exists,
    DROP CONSTRAINT observation_area_exists;

CREATE FUNCTION bind_observations() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    reports_named uuid[];
    measures_named text[];
    areas_named text[];
    districts text[];
    missing text;
BEGIN
    -- Few are named by many rows.
    SELECT coalesce(array_agg(DISTINCT report_id), '{}'), coalesce(array_agg(DISTINCT measure_code), '{}'),
        coalesce(array_agg(DISTINCT area_code), '{}')
    INTO reports_named, measures_named, areas_named
    FROM (SELECT DISTINCT report_id, measure_code, area_code FROM written) AS named;
    IF reports_named = '{}' THEN
        RETURN NULL;
    END IF;

    PERFORM FROM reports WHERE id = ANY (reports_named) ORDER BY id FOR KEY SHARE;
    SELECT named INTO missing FROM unnest(reports_named) AS named
    WHERE NOT EXISTS (SELECT FROM reports WHERE id = named) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no report %', missing
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'observation_report_exists', TABLE = 'observations';
    END IF;
    PERFORM FROM measures WHERE code = ANY (measures_named) ORDER BY code FOR KEY SHARE;
    SELECT named INTO missing FROM unnest(measures_named) AS named
    WHERE NOT EXISTS (SELECT FROM measures WHERE code = named) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no measure %', missing
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'observation_measure_exists', TABLE = 'observations';
    END IF;
    -- Only districts are ever deleted, and leave tombstones: FOR SHARE makes their delete wait, too. Their codes have more
    -- than four characters.
    SELECT coalesce(array_agg(named), '{}') INTO districts FROM unnest(areas_named) AS named WHERE length(named) > 4;
    PERFORM FROM areas WHERE code = ANY (areas_named) AND code <> ALL (districts) ORDER BY code FOR KEY SHARE;
    PERFORM FROM areas WHERE code = ANY (districts) ORDER BY code FOR SHARE;
    SELECT named INTO missing FROM unnest(areas_named) AS named
    WHERE NOT EXISTS (SELECT FROM areas WHERE code = named AND (deleted_at IS NULL OR length(code) <= 4)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no live area %', missing
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'observation_area_exists', TABLE = 'observations';
    END IF;
    RETURN NULL;
END
$$;
-- By their names they come before the triggers that check: what is not there is told first.
CREATE TRIGGER bind_added AFTER INSERT ON observations REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION bind_observations();
CREATE TRIGGER bind_changed AFTER UPDATE ON observations REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION bind_observations();
DROP TRIGGER refuse_deleted_area ON observations;

-- The other side: what observations name is not deleted, and keeps its key.
CREATE FUNCTION refuse_while_observed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    observed boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM observations WHERE %I = ($1).%I)', TG_ARGV[0], TG_ARGV[1])
    INTO observed USING OLD;
    IF observed THEN
        RAISE EXCEPTION 'observations name this row of %', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_ARGV[2], TABLE = 'observations';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse_while_observed AFTER DELETE ON reports FOR EACH ROW
    EXECUTE FUNCTION refuse_while_observed('report_id', 'id', 'observation_report_exists');
CREATE TRIGGER refuse_new_key_while_observed AFTER UPDATE OF id ON reports FOR EACH ROW WHEN (OLD.id <> NEW.id)
    EXECUTE FUNCTION refuse_while_observed('report_id', 'id', 'observation_report_exists');
CREATE TRIGGER refuse_while_observed AFTER DELETE ON measures FOR EACH ROW
    EXECUTE FUNCTION refuse_while_observed('measure_code', 'code', 'observation_measure_exists');
CREATE TRIGGER refuse_new_key_while_observed AFTER UPDATE OF code ON measures FOR EACH ROW WHEN (OLD.code <> NEW.code)
    EXECUTE FUNCTION refuse_while_observed('measure_code', 'code', 'observation_measure_exists');
CREATE TRIGGER refuse_while_observed AFTER DELETE ON areas FOR EACH ROW
    EXECUTE FUNCTION refuse_while_observed('area_code', 'code', 'observation_area_exists');
CREATE TRIGGER refuse_new_key_while_observed AFTER UPDATE OF code ON areas FOR EACH ROW WHEN (OLD.code <> NEW.code)
    EXECUTE FUNCTION refuse_while_observed('area_code', 'code', 'observation_area_exists');
