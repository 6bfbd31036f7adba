-- Question: of which sources is a publication made if none are named?
-- Grain:    one row a published source with an approved report, in the order of precedence; its id as JSON.
-- Caveats:  official statistics first, then the newest. A source without a date counts as old.
SELECT to_json(source.id)::text
FROM sources AS source
WHERE source.deleted_at IS NULL AND source.state = 'published'
    AND EXISTS (SELECT FROM reports WHERE source_id = source.id AND state = 'approved' AND deleted_at IS NULL)
ORDER BY source.official_statistics DESC, source.published_on COLLATE "C" DESC NULLS LAST, source.created_at DESC, source.id
