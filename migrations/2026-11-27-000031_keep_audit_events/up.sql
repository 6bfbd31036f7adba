-- The trail is only added to: the role that owns it loses what it needs to do anything else, and the triggers, which hold
-- for a superuser too, refuse to empty it as they refuse changes.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_events FROM CURRENT_USER;
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON earlier_observations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_the_past();
