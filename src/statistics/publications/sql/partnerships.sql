-- Question: who works with whom, where, as what, from when until when, and which page tells of it?
-- Grain:    one row a published partnership, as JSON; partner and project by id.
-- Caveats:  a partnership whose partner, project or collaboration is hidden is hidden too.
SELECT json_build_object('id', partnership.id, 'partner', partnership.partner_id, 'project', partnership.project_id,
    'collaboration', partnership.collaboration_id, 'area', partnership.area_code, 'role', partnership.role,
    'form', partnership.form, 'from', partnership.valid_from, 'to', partnership.valid_to,
    'continues', partnership.continues_after_project,
    'source', COALESCE(partnership.source_url, project.source_url, collaboration.source_url))::text
FROM partnerships AS partnership
JOIN partners AS partner ON partner.id = partnership.partner_id AND partner.deleted_at IS NULL AND partner.state = 'published'
LEFT JOIN projects AS project ON project.id = partnership.project_id
LEFT JOIN collaborations AS collaboration ON collaboration.id = partnership.collaboration_id
WHERE partnership.deleted_at IS NULL AND partnership.state = 'published'
    AND (partnership.project_id IS NULL OR (project.deleted_at IS NULL AND project.state = 'published'))
    AND (partnership.collaboration_id IS NULL OR (collaboration.deleted_at IS NULL AND collaboration.state = 'published'))
ORDER BY partnership.id
