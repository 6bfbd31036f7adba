DROP INDEX import_rows_refused_idx;
