-- Question: has the client $1 been revoked, or lost a right, since $2?
-- Grain:    one client; one that is not in the table has lost nothing.
-- Caveats:  revoking a client and taking a right from it set tokens_valid_after, as for its tokens.
SELECT EXISTS (SELECT FROM clients WHERE client_id = $1 AND (revoked_at IS NOT NULL OR tokens_valid_after > $2)) AS lost
