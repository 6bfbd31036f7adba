DROP VIEW observation_states;
DROP TABLE earlier_observations;
DROP FUNCTION refuse_change_of_the_past;
DROP TRIGGER keep_changed ON observations;
DROP TRIGGER keep_removed ON observations;
DROP FUNCTION keep_earlier_observations;
