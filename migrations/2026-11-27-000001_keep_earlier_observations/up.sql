-- What the observations of a report said before they were changed or removed. The report's history tells who did it, when,
-- and which version it made; this tells the numbers. An observation is only changed while its report is a draft.
CREATE TABLE earlier_observations (
    report_id uuid NOT NULL,
    id uuid NOT NULL,
    measure_code text NOT NULL,
    area_code area_code NOT NULL,
    basis text NOT NULL,
    gender text NOT NULL,
    age_band text NOT NULL,
    subject text NOT NULL,
    activity_form text NOT NULL,
    value double precision,
    status text NOT NULL,
    precision text NOT NULL,
    note text,
    -- Since when it said so.
    updated_at timestamptz NOT NULL,
    -- Until when.
    until timestamptz NOT NULL,
    PRIMARY KEY (report_id, id, updated_at),
    CONSTRAINT earlier_observation_report_exists FOREIGN KEY (report_id) REFERENCES reports (id)
);

CREATE FUNCTION keep_earlier_observations() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO earlier_observations
        (report_id, id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value, status,
            precision, note, updated_at, until)
        SELECT report_id, id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value, status,
            precision, note, updated_at, clock_timestamp()
        FROM earlier;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_changed AFTER UPDATE ON observations REFERENCING OLD TABLE AS earlier
    FOR EACH STATEMENT EXECUTE FUNCTION keep_earlier_observations();
CREATE TRIGGER keep_removed AFTER DELETE ON observations REFERENCING OLD TABLE AS earlier
    FOR EACH STATEMENT EXECUTE FUNCTION keep_earlier_observations();

-- The past is only added to.
CREATE FUNCTION refuse_change_of_the_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'earlier observations are never changed';
END
$$;
CREATE TRIGGER refuse_change_of_the_past BEFORE UPDATE OR DELETE ON earlier_observations
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_the_past();

-- Every state of every observation, the present ones until the end of time. Whoever reads it names the report.
CREATE VIEW observation_states AS
    SELECT report_id, id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value, status,
        precision, note, updated_at, 'infinity'::timestamptz AS until
    FROM observations
    UNION ALL
    SELECT report_id, id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value, status,
        precision, note, updated_at, until
    FROM earlier_observations;
