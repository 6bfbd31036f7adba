-- What was read otherwise than it was written, such as 114 as 0114.
ALTER TABLE import_rows ADD COLUMN notes jsonb;
