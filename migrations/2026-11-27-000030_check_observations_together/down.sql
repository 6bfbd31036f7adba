CREATE INDEX observations_measure_area_idx ON observations (measure_code, area_code);
DROP INDEX observations_measure_idx;
DROP TRIGGER check_changed ON observations;
DROP TRIGGER check_added ON observations;
DROP FUNCTION check_observations;
CREATE FUNCTION check_observation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    measure_kind text;
    of_occasions boolean;
    report_area text;
BEGIN
    SELECT measure.kind, coalesce(numerator.unit = 'occasions', false) INTO measure_kind, of_occasions
    FROM measures AS measure LEFT JOIN measures AS numerator ON numerator.code = measure.numerator_code
    WHERE measure.code = NEW.measure_code;
    IF NOT coalesce(CASE measure_kind
            WHEN 'count' THEN NEW.value >= 0 AND NEW.value = floor(NEW.value)
            WHEN 'rank' THEN NEW.value >= 1 AND NEW.value = floor(NEW.value)
            WHEN 'share' THEN NEW.value >= 0 AND (of_occasions OR NEW.value <= 100)
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
