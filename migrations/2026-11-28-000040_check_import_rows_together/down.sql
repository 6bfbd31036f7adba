DROP TRIGGER forget_rows ON imports;
DROP FUNCTION forget_import_rows;
DROP TRIGGER check_added ON import_rows;
DROP FUNCTION check_import_rows;
ALTER TABLE import_rows ADD CONSTRAINT import_row_import_exists FOREIGN KEY (import_id) REFERENCES imports (id) ON DELETE CASCADE;
