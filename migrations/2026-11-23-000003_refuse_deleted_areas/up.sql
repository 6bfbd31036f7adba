-- A deleted district is named by no row that is written from now on. The foreign keys take tombstones for areas, so each
-- gets a trigger that answers under its name. Only districts are ever deleted: the rows of counties and municipalities,
-- whose codes have at most four characters, cost nothing. FOR SHARE makes a delete of the district wait for this
-- transaction, and this one for a delete under way: of the two, the later one sees the earlier.
CREATE FUNCTION refuse_deleted_area() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    named text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    PERFORM FROM areas WHERE code = named AND deleted_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no live area %', named
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_ARGV[1], TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF successor_code ON areas FOR EACH ROW
    WHEN (length(NEW.successor_code) > 4) EXECUTE FUNCTION refuse_deleted_area('successor_code', 'area_successor_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON partners FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'partner_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON projects FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'project_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON project_areas FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'project_areas_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON collaborations FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'collaboration_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON partnerships FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'partnership_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON measure_notes FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'measure_note_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON sources FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'source_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON reports FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'report_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON observations FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'observation_area_exists');
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON populations FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'population_area_exists');
