-- Of the rows of a report the same is told for hundreds in turn. One stored row tells of them all: `rows` in turn, which have
-- the same outcome and entity, and positions and lines that follow each other. Who looks for the row at a position looks back
-- no further than the longest run.
ALTER TABLE import_rows ADD COLUMN rows integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT import_row_run_length CHECK (rows BETWEEN 1 AND 1000),
    ADD CONSTRAINT import_row_run_plain CHECK (rows = 1
        OR num_nonnulls(version, errors, existing, given, notes) = 0);
