-- Question: which observations are stored in the reports $1?
-- Grain:    one row for each observation; of a report that has more than its number in $2, one more than that.
-- Caveats:  they are taken in the order of the key, so that they are found by it, whatever the database knows of the table.
SELECT o.*
FROM unnest($1::uuid[], $2::bigint[]) AS r (id, most)
CROSS JOIN LATERAL (
    SELECT report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form, id, value, status, precision, note
    FROM observations WHERE report_id = r.id
    ORDER BY report_id, age_band, subject, gender, activity_form, measure_code, area_code, basis
    LIMIT r.most + 1
) AS o
