-- Question: which of these tables change without the feed being told at commit?
-- Grain: one row a table.
-- Caveats: a trigger that fires only for replication (tgenabled R) counts as missing.
SELECT name
FROM unnest($1) AS name
WHERE NOT EXISTS (
    SELECT FROM pg_trigger
    WHERE tgrelid = to_regclass(name) AND tgname = 'feed' AND tgenabled IN ('O', 'A') AND tgdeferrable AND tginitdeferred
)
