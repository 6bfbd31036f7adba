-- Question: remove the next deletions that are older than this, and remember up to which number they may be missing.
-- Grain: one row, the number of changes that were removed.
-- Caveats: to be run under the lock of the feed, or it can block those who hold it. At most a thousand at a time.
WITH old AS (
    SELECT seq FROM changes WHERE op <> 'upsert' AND changed_at < $1 ORDER BY changed_at LIMIT 1000
), gone AS (
    DELETE FROM changes USING old WHERE changes.seq = old.seq RETURNING changes.seq
), raised AS (
    UPDATE feed_retention SET oldest_seq = greatest(oldest_seq, (SELECT max(seq) FROM gone)) WHERE EXISTS (SELECT FROM gone)
)
SELECT count(*) AS removed FROM gone
