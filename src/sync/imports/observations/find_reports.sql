-- Question: which live reports have these sources ($2), areas ($3), kinds of period ($4) and periods ($5)?
-- Grain:    one row for each given report that is there, told by its number $1; report_once says that it is one at the most.
-- Caveats:  they are not locked, so what is found may be gone when it is.
SELECT given.n, reports.id
FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS given (n, source_id, area_code, period_kind, period)
JOIN reports ON reports.source_id = given.source_id AND reports.area_code = given.area_code
    AND reports.period_kind = given.period_kind AND reports.period = given.period
WHERE reports.deleted_at IS NULL AND reports.state <> 'withdrawn'
