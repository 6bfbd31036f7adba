-- Question: which collaborations are there, with whom, from when until when?
-- Grain:    one row a published collaboration, as JSON of frozen::Collaboration.
-- Caveats:  past members are among them.
SELECT json_build_object('id', collaboration.id, 'name', collaboration.name, 'members', coalesce((
        SELECT json_agg(json_build_object('municipality', municipality_code, 'from', valid_from, 'to', valid_to) ORDER BY municipality_code, position)
        FROM collaboration_members WHERE collaboration_id = collaboration.id), '[]'))::text
FROM collaborations AS collaboration
WHERE collaboration.deleted_at IS NULL AND collaboration.state = 'published'
ORDER BY collaboration.name COLLATE "sv-SE-x-icu", collaboration.id
