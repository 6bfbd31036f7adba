-- Whether the import of a row exists is asked once for all rows of a statement: asked row by row it took longer than
-- writing them. Their import is not deleted meanwhile, since who writes rows also writes their import in the transaction.
ALTER TABLE import_rows DROP CONSTRAINT import_row_import_exists;
CREATE FUNCTION check_import_rows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    missing uuid;
BEGIN
    SELECT of.import_id INTO missing
    FROM (SELECT DISTINCT import_id FROM written) AS of
    WHERE NOT EXISTS (SELECT FROM imports WHERE id = of.import_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'import % does not exist', missing
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'import_row_import_exists', TABLE = 'import_rows';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER check_added AFTER INSERT ON import_rows REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION check_import_rows();
CREATE FUNCTION forget_import_rows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM import_rows WHERE import_id IN (SELECT id FROM forgotten);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_rows AFTER DELETE ON imports REFERENCING OLD TABLE AS forgotten
    FOR EACH STATEMENT EXECUTE FUNCTION forget_import_rows();
