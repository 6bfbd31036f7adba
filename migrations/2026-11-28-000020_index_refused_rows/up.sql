-- Rows that were refused are few among many, and are looked through when a contact is erased.
CREATE INDEX import_rows_refused_idx ON import_rows (import_id) WHERE given IS NOT NULL;
