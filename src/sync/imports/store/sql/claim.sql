-- Question: which import is to be worked at next, and by $1?
-- Grain:    one import at the most: the oldest that waits, whose worker has fallen silent, or that $1 was interrupted at:
--           who asks works at nothing, so what it holds it holds from before.
-- Caveats:  rivals skip the row that another one is just taking. The time is the database's, the same for all processes.
UPDATE imports
SET state = 'running', holder = $1, leased_until = clock_timestamp() + interval '60 seconds'
WHERE id = (
    SELECT id FROM imports
    WHERE state = 'waiting' OR (state = 'running' AND (leased_until < clock_timestamp() OR holder = $1))
    ORDER BY created_at
    FOR UPDATE SKIP LOCKED
    LIMIT 1)
RETURNING id
