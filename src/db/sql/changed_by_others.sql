-- Question: which rows of the kind $1 ($2 their keys, $4 their versions now) has another request than $5 changed since the
--           versions $3?
-- Grain:    one given row and version.
-- Caveats:  every version since then must be kept as the request's own; a version that is yet to come is one of others.
SELECT given.key, given.since FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS given (key, since, now)
WHERE given.now - given.since <> (SELECT count(*) FROM history
    WHERE entity_type = $1 AND entity_key = given.key AND version > given.since AND version <= given.now AND request_id = $5)
