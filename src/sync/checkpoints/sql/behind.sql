-- Question: how many changes come after each of these positions ($1), and since when has the first of them been there?
-- Grain: one row a position that has any; a position asked for twice is answered once.
-- Caveats: counts up to $2. Counts changes of every kind and scope, also those that a client does not follow or see. A
-- row that changed twice after a position is one change, of its second time.
SELECT asked.seq, count(*) AS behind, min(next.changed_at) AS since
FROM (SELECT DISTINCT unnest($1) AS seq) AS asked
CROSS JOIN LATERAL (SELECT changed_at FROM changes WHERE changes.seq > asked.seq ORDER BY changes.seq LIMIT $2) AS next
GROUP BY asked.seq
