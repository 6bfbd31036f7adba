-- Question: which partners have partnerships?
-- Grain:    one row a published partner with a published partnership, as JSON of frozen::Partner.
-- Caveats:  no contact persons, on purpose.
SELECT json_build_object('id', id, 'name', name, 'category', category, 'civil_society', civil_society)::text
FROM partners AS partner
WHERE deleted_at IS NULL AND state = 'published' AND EXISTS (
    SELECT FROM partnerships WHERE partner_id = partner.id AND deleted_at IS NULL AND state = 'published')
ORDER BY name COLLATE "sv-SE-x-icu", id
