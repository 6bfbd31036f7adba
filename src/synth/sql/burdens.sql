-- Question: which statements take away what each new row of the table $1 costs, and which bring it back?
-- Grain:    one row a trigger, key or index, in the order in which it is brought back; the other way round it goes.
-- Caveats:  keys and indexes only if the table holds nothing ($2): rows that are there stay checked. Check constraints
--           stay: to check them afterwards costs the same. Definitions are the database's own.
SELECT away, again
FROM (
    SELECT CASE contype WHEN 'f' THEN 2 ELSE 0 END AS place, conname AS name,
        format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS away,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS again
    FROM pg_constraint
    WHERE conrelid = $1::text::regclass AND contype IN ('p', 'u', 'f') AND $2
    UNION ALL
    SELECT 1, relname, format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = $1::text::regclass AND $2 AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
    UNION ALL
    -- Row triggers that fire on INSERT. One that is merely disabled still makes COPY write row by row.
    SELECT 3, tgname, CASE WHEN $2 THEN format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
            ELSE format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) END,
        CASE WHEN $2 THEN pg_get_triggerdef(oid)
            ELSE format('ALTER TABLE %s ENABLE TRIGGER %I', tgrelid::regclass, tgname) END
    FROM pg_trigger
    WHERE tgrelid = $1::text::regclass AND NOT tgisinternal AND tgtype & 5 = 5
) AS burden
ORDER BY place, name
