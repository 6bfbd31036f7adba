-- Question: how many rows of each kind may the reader see, and what comes of their keys and versions together?
-- Grain: one row a kind that has any.
-- Caveats: told from the feed, where a live row is an upsert in exactly one scope. Without areas ($2 null) the reader may
-- see the whole country. The hash of a row is the first eight bytes of SHA-256 of `key:version`.
SELECT entity_type, count(*) AS rows,
       lpad(to_hex(bit_xor(('x' || left(encode(sha256(convert_to(entity_key || ':' || version, 'UTF8')), 'hex'), 16))::bit(64)::bigint)), 16, '0') AS digest
FROM changes
WHERE op = 'upsert' AND entity_type = ANY ($1)
  AND ($2 IS NULL OR scope = '*' OR EXISTS (SELECT FROM unnest($2) AS area WHERE starts_with(scope, area)))
GROUP BY entity_type
