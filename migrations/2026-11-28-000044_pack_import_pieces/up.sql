-- Files wait in the queue packed (zstd): rows of text become a tenth of what they were, and the log of PostgreSQL with them.
-- `unpacked` is how many bytes the piece has when it is unpacked; none of a piece that lies there as it came.
ALTER TABLE import_pieces ADD COLUMN unpacked integer;
