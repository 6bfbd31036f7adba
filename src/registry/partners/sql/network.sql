-- Question: in which projects and collaborations does the partner $1 take part, who else does, and as what?
-- Grain: one row for each partner, project or collaboration, relation and role. The partner's own rows are among them.
-- Caveats: only live rows that are published or kept inside one of the areas $2 (SE: everywhere); a link through a
-- hidden project, collaboration, partnership or partner does not exist for the reader. A sub-project is a project of
-- its own. Partnerships that differ only in place, form or time are one row; past ones count like present ones.
WITH mine AS (
    SELECT id AS project_id, NULL::uuid AS collaboration_id FROM projects WHERE owner_id = $1
    UNION
    SELECT project_id, collaboration_id FROM funding_lines WHERE funder_id = $1
    UNION
    SELECT project_id, collaboration_id FROM partnerships
    WHERE partner_id = $1 AND deleted_at IS NULL
        AND (state = 'published' OR 'SE' = ANY ($2) OR area_code ^@ ANY ($2))
),
places AS (
    SELECT projects.id AS project_id, NULL::uuid AS collaboration_id, title AS name, owner_id, start_month, end_month
    FROM mine JOIN projects ON projects.id = mine.project_id
    WHERE deleted_at IS NULL AND (state = 'published' OR 'SE' = ANY ($2) OR area_code ^@ ANY ($2))
    UNION ALL
    SELECT NULL, collaborations.id, name, NULL, NULL, NULL
    FROM mine JOIN collaborations ON collaborations.id = mine.collaboration_id
    WHERE deleted_at IS NULL AND (state = 'published' OR 'SE' = ANY ($2) OR area_code ^@ ANY ($2))
),
links AS (
    SELECT owner_id AS partner_id, project_id, collaboration_id, 'owner' AS relation, NULL::text AS role
    FROM places WHERE owner_id IS NOT NULL
    UNION
    SELECT funder_id, project_id, NULL, 'funder', NULL
    FROM places JOIN funding_lines USING (project_id) WHERE funder_id IS NOT NULL
    UNION
    SELECT funder_id, NULL, collaboration_id, 'funder', NULL
    FROM places JOIN funding_lines USING (collaboration_id) WHERE funder_id IS NOT NULL
    UNION
    SELECT partner_id, project_id, NULL, 'partner', role
    FROM places JOIN partnerships USING (project_id)
    WHERE deleted_at IS NULL AND (state = 'published' OR 'SE' = ANY ($2) OR area_code ^@ ANY ($2))
    UNION
    SELECT partner_id, NULL, collaboration_id, 'partner', role
    FROM places JOIN partnerships USING (collaboration_id)
    WHERE deleted_at IS NULL AND (state = 'published' OR 'SE' = ANY ($2) OR area_code ^@ ANY ($2))
)
SELECT partners.id AS partner_id, partners.name AS partner_name, partners.category, partners.civil_society,
    links.project_id, links.collaboration_id, places.name, places.start_month::text, places.end_month::text,
    links.relation, links.role
FROM links
JOIN places ON places.project_id = links.project_id OR places.collaboration_id = links.collaboration_id
JOIN partners ON partners.id = links.partner_id
WHERE partners.deleted_at IS NULL
    AND (partners.state = 'published' OR 'SE' = ANY ($2) OR partners.area_code ^@ ANY ($2))
ORDER BY partners.name COLLATE "sv-SE-x-icu", partners.id, places.name COLLATE "sv-SE-x-icu",
    links.project_id, links.collaboration_id, links.relation, links.role COLLATE "C"
