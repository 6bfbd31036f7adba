-- The rules of an observation that speak of other rows, checked for all rows of a statement at once: row by row they took
-- more than a quarter of the time of a large file.
CREATE FUNCTION check_observations() RETURNS trigger
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
DROP TRIGGER check_observation ON observations;
DROP FUNCTION check_observation;
CREATE TRIGGER check_added AFTER INSERT ON observations REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION check_observations();
CREATE TRIGGER check_changed AFTER UPDATE ON observations REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION check_observations();

-- An area is looked for by its own index, and a measure only to know whether it is in use. With both in one index a new
-- database, which has no statistics yet, looked observations up by it instead of by all that tells them apart.
CREATE INDEX observations_measure_idx ON observations (measure_code);
DROP INDEX observations_measure_area_idx;
