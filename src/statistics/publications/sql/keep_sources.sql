-- Question: keep which sources $3 the publication $1 is made of, in the order $2.
-- Grain:    one row a source.
-- Caveats:  sources that only counted residents are not among them.
INSERT INTO publication_sources (publication_id, position, source_id)
SELECT $1, position, source FROM unnest($2::integer[], $3::uuid[]) AS chosen (position, source)
