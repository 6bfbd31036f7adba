-- Question: which projects have partnerships?
-- Grain:    one row a published project with a published partnership, as JSON of frozen::Project.
-- Caveats:  none.
SELECT json_build_object('id', id, 'title', title, 'continuation', continuation, 'start_month', start_month, 'end_month', end_month)::text
FROM projects AS project
WHERE deleted_at IS NULL AND state = 'published' AND EXISTS (
    SELECT FROM partnerships WHERE project_id = project.id AND deleted_at IS NULL AND state = 'published')
ORDER BY title COLLATE "sv-SE-x-icu", id
