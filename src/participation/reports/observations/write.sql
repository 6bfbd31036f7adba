-- Question: make the observations of one report these ones ($14 true), or add these and correct those that have the
--           same dimensions ($14 false). How many rows did that change?
-- Grain:    one row of `given` is one observation; observation_once says which of the report's it is.
-- Caveats:  Rows that are the same as before are not touched, so their time stays, and an answer of 0 means that
--           nothing changed. Two given rows with the same dimensions are an error, which the caller has excluded.
--           `gone` and `written` touch different rows, so it does not matter that they see the same snapshot.
WITH given AS (
    SELECT *
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::double precision[], $11::text[], $12::text[], $13::text[])
        AS g (id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value, status, precision, note)
), gone AS (
    DELETE FROM observations AS o
    WHERE o.report_id = $1 AND $14 AND NOT EXISTS (
        SELECT FROM given AS g
        WHERE g.measure_code = o.measure_code AND g.area_code = o.area_code AND g.basis = o.basis AND g.gender = o.gender
          AND g.age_band = o.age_band AND g.subject = o.subject AND g.activity_form = o.activity_form)
    RETURNING 1
), written AS (
    INSERT INTO observations AS o (id, report_id, measure_code, area_code, basis, gender, age_band, subject,
        activity_form, value, status, precision, note)
    SELECT g.id, $1, g.measure_code, g.area_code, g.basis, g.gender, g.age_band, g.subject,
        g.activity_form, g.value, g.status, g.precision, g.note
    FROM given AS g
    ON CONFLICT ON CONSTRAINT observation_once DO UPDATE
    SET value = excluded.value, status = excluded.status, precision = excluded.precision, note = excluded.note,
        updated_at = clock_timestamp()
    WHERE (o.value, o.status, o.precision, o.note)
        IS DISTINCT FROM (excluded.value, excluded.status, excluded.precision, excluded.note)
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM written) AS changed
