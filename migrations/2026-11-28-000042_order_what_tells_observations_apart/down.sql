ALTER TABLE observations
    DROP CONSTRAINT observation_once,
    ADD CONSTRAINT observation_once UNIQUE (report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form);
