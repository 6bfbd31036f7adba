-- Question: which of these versions ($2 the keys, $3 their versions) of rows of the kind $1 are not in the history?
-- Grain:    one given version.
-- Caveats:  rows that were loaded with the service have no history before their first change.
SELECT given.key FROM unnest($2::text[], $3::bigint[]) AS given (key, version)
WHERE NOT EXISTS (SELECT FROM history WHERE entity_type = $1 AND entity_key = given.key AND version = given.version)
