INSERT INTO import_rows (import_id, position, line, outcome, entity)
SELECT import_id, position + further, line + further, outcome, entity
FROM import_rows, generate_series(1, rows - 1) AS further;
ALTER TABLE import_rows DROP COLUMN rows;
