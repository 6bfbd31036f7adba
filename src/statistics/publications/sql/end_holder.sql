-- Question: end the connection that holds the advisory lock $1 for a making of which nothing was heard for 30 s.
-- Grain:    one row a connection that was ended.
-- Caveats:  a 64-bit advisory lock stands in two halves of 32 bits in pg_locks. The connection of a making is called after
--           its publication; one of any other name is left alone.
SELECT pg_terminate_backend(lock.pid)
FROM pg_locks AS lock
JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
JOIN publications AS publication ON activity.application_name = 'samverkan making ' || publication.id
WHERE lock.locktype = 'advisory' AND lock.objsubid = 1 AND lock.granted
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (lock.classid::bigint << 32) | lock.objid::bigint = $1::bigint
    AND publication.heartbeat_at < clock_timestamp() - interval '30 seconds'
