-- Question: release the publication $1, made of $2 observations.
-- Grain:    one row, or none if somebody has said in the meantime that it failed.
-- Caveats:  none.
UPDATE publications
SET state = 'published', phase = 'done', done = $2, total = $2, published_at = clock_timestamp(), heartbeat_at = clock_timestamp()
WHERE id = $1 AND state = 'making'
