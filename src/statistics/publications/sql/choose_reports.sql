-- Question: keep the reports $1 at hand, with their place $2 in the order of precedence and the place $3 of their period.
-- Grain:    one row a report.
-- Caveats:  writes the temporary table that observations.sql reads.
INSERT INTO chosen_reports (report_id, no, period_no)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::smallint[])
