-- What tells the observations of a report apart, most telling first: they are often of one measure and one area, which were
-- compared first whenever one was looked for or written.
ALTER TABLE observations
    DROP CONSTRAINT observation_once,
    ADD CONSTRAINT observation_once UNIQUE (report_id, age_band, subject, gender, activity_form, measure_code, area_code, basis);
