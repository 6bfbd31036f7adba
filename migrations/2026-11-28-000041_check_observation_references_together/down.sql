DROP TRIGGER refuse_new_key_while_observed ON areas;
DROP TRIGGER refuse_while_observed ON areas;
DROP TRIGGER refuse_new_key_while_observed ON measures;
DROP TRIGGER refuse_while_observed ON measures;
DROP TRIGGER refuse_new_key_while_observed ON reports;
DROP TRIGGER refuse_while_observed ON reports;
DROP FUNCTION refuse_while_observed;
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON observations FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'observation_area_exists');
CREATE OR REPLACE FUNCTION check_observations() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    wrong record;
BEGIN
    SELECT observation.value, measure.kind INTO wrong
    FROM written AS observation
    JOIN measures AS measure ON measure.code = observation.measure_code
    LEFT JOIN measures AS numerator ON numerator.code = measure.numerator_code
    WHERE NOT CASE measure.kind
            WHEN 'count' THEN observation.value >= 0 AND observation.value = floor(observation.value)
            WHEN 'rank' THEN observation.value >= 1 AND observation.value = floor(observation.value)
            WHEN 'share' THEN observation.value >= 0
                AND (coalesce(numerator.unit = 'occasions', false) OR observation.value <= 100)
            WHEN 'money' THEN observation.value >= 0
            WHEN 'flag' THEN observation.value IN (0, 1)
            ELSE true END
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'value % is impossible for a %', wrong.value, wrong.kind
            USING ERRCODE = 'check_violation', CONSTRAINT = 'observation_value_fits_measure', TABLE = 'observations';
    END IF;
    -- Few places are in many rows; that also keeps the plan one that looks the reports up by their key.
    SELECT place.area_code, report.area_code AS report_area INTO wrong
    FROM (SELECT DISTINCT report_id, area_code FROM written) AS place
    JOIN reports AS report ON report.id = place.report_id
    WHERE report.area_code <> 'SE' AND NOT starts_with(place.area_code, report.area_code)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'area % is not inside %', wrong.area_code, wrong.report_area
            USING ERRCODE = 'check_violation', CONSTRAINT = 'observation_area_inside_report', TABLE = 'observations';
    END IF;
    RETURN NULL;
END
$$;
ALTER TABLE observations
    ADD CONSTRAINT observation_report_exists FOREIGN KEY (report_id) REFERENCES reports (id),
    ADD CONSTRAINT observation_measure_exists FOREIGN KEY (measure_code) REFERENCES measures (code),
    ADD CONSTRAINT observation_area_exists FOREIGN KEY (area_code) REFERENCES areas (code);
