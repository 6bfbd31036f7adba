-- Question: tell the feed of the populations of the source $1.
-- Grain:    one row a population.
-- Caveats:  in place of the trigger `feed`, which does the same for one row; needs feed_lock. What feed_put does for one
--           row is written out, since a million calls of it take three times as long.
INSERT INTO changes (entity_type, entity_key, scope, seq, op, version, changed_at)
SELECT 'populations', id::text, '*', nextval('change_seq'), 'upsert', version, clock_timestamp()
FROM populations
WHERE source_id = $1
