DROP VIEW audit_trail;
DROP INDEX audit_events_trail_idx;
CREATE INDEX audit_events_at_idx ON audit_events (at);
-- What was written down stays, also what the older rule does not know.
ALTER TABLE audit_events DROP CONSTRAINT audit_action_known;
ALTER TABLE audit_events ADD CONSTRAINT audit_action_known
    CHECK (action IN ('raw_statistics_read', 'publication_made', 'publication_withdrawn')) NOT VALID;
DROP TABLE history;
DROP FUNCTION keep_history();
DROP TABLE idempotency_keys;
