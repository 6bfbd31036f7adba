-- What waits in the queue could not be read any more.
DO $$
BEGIN
    IF EXISTS (SELECT FROM import_pieces WHERE unpacked IS NOT NULL) THEN
        RAISE EXCEPTION 'imports wait in the queue with their files packed: let them end first';
    END IF;
END
$$;
ALTER TABLE import_pieces DROP COLUMN unpacked;
