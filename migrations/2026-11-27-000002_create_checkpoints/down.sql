DROP TABLE checkpoints;
DROP FUNCTION check_checkpoints();
