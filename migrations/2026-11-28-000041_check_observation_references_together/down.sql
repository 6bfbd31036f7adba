DROP TRIGGER refuse_new_key_while_observed ON areas;
DROP TRIGGER refuse_while_observed ON areas;
DROP TRIGGER refuse_new_key_while_observed ON measures;
DROP TRIGGER refuse_while_observed ON measures;
DROP TRIGGER refuse_new_key_while_observed ON reports;
DROP TRIGGER refuse_while_observed ON reports;
DROP FUNCTION refuse_while_observed;
CREATE TRIGGER refuse_deleted_area BEFORE INSERT OR UPDATE OF area_code ON observations FOR EACH ROW
    WHEN (length(NEW.area_code) > 4) EXECUTE FUNCTION refuse_deleted_area('area_code', 'observation_area_exists');
DROP TRIGGER bind_changed ON observations;
DROP TRIGGER bind_added ON observations;
DROP FUNCTION bind_observations;
ALTER TABLE observations
    ADD CONSTRAINT observation_report_exists FOREIGN KEY (report_id) REFERENCES reports (id),
    ADD CONSTRAINT observation_measure_exists FOREIGN KEY (measure_code) REFERENCES measures (code),
    ADD CONSTRAINT observation_area_exists FOREIGN KEY (area_code) REFERENCES areas (code);
