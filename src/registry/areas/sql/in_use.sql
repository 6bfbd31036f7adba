-- Question: does a live row refer to the area $1?
-- Grain: one row, true or false.
-- Caveats: children without a tombstone of their own live as long as what they
-- belong to. Members of collaborations are municipalities, which are never deleted, so they are not asked.
SELECT EXISTS (SELECT FROM areas WHERE successor_code = $1 AND deleted_at IS NULL)
    OR EXISTS (SELECT FROM culture_schools WHERE area_code = $1 AND deleted_at IS NULL)
    OR EXISTS (SELECT FROM partners WHERE area_code = $1 AND deleted_at IS NULL)
    OR EXISTS (SELECT FROM projects WHERE area_code = $1 AND deleted_at IS NULL)
    OR EXISTS (
        SELECT FROM project_areas
        JOIN projects ON projects.id = project_areas.project_id
        WHERE project_areas.area_code = $1 AND projects.deleted_at IS NULL)
    OR EXISTS (SELECT FROM collaborations WHERE area_code = $1 AND deleted_at IS NULL)
    OR EXISTS (SELECT FROM partnerships WHERE area_code = $1 AND deleted_at IS NULL)
    OR EXISTS (
        SELECT FROM measure_notes
        JOIN measures ON measures.code = measure_notes.measure_code
        WHERE measure_notes.area_code = $1 AND measures.deleted_at IS NULL)
    OR EXISTS (SELECT FROM sources WHERE area_code = $1 AND deleted_at IS NULL)
    OR EXISTS (SELECT FROM reports WHERE area_code = $1 AND deleted_at IS NULL)
    OR EXISTS (
        SELECT FROM observations
        JOIN reports ON reports.id = observations.report_id
        WHERE observations.area_code = $1 AND reports.deleted_at IS NULL)
    OR EXISTS (SELECT FROM populations WHERE area_code = $1 AND deleted_at IS NULL)
    AS in_use
