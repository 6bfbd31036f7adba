-- Question: what are the sources $1?
-- Grain:    one row a source that exists and is not deleted, in the order of $1, as JSON of frozen::Source.
-- Caveats:  a draft source is among them if it is named: whoever publishes may choose it.
SELECT json_build_object('id', source.id, 'title', source.title, 'publisher', source.publisher, 'url', source.url,
    'published_on', source.published_on, 'official', source.official_statistics)::text
FROM unnest($1::uuid[]) WITH ORDINALITY AS chosen (id, position)
JOIN sources AS source ON source.id = chosen.id AND source.deleted_at IS NULL
ORDER BY chosen.position
