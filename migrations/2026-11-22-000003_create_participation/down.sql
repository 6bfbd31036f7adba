DROP TABLE populations;
DROP TABLE observations;
DROP FUNCTION check_observation();
DROP TABLE reports;
DROP TABLE sources;
DROP TABLE measure_notes;
DROP TABLE series_breaks;
DROP TABLE measures;
