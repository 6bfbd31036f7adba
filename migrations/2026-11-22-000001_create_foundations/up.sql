-- What every table leans on: extensions, text folding for search, the version trigger, number checks.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Lower case without accents: what people type ("orebro") against what is meant ("Örebro").
-- Only ever used for finding, never for equality: Håbo and Habo are two municipalities.
CREATE FUNCTION fold(text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$;

-- Every update makes a new version; the version is the strong ETag of the row.
CREATE FUNCTION touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

-- Swedish organisation number, written NNNNNN-NNNN: Luhn check digit (modulus 10), and the third digit is at
-- least 2, which tells a legal person from a person: a personal identity number (month 01-12) is refused.
-- Rule: Lag (1974:174) om identitetsbeteckning för juridiska personer m.fl.
CREATE FUNCTION is_org_number(text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
SELECT $1 ~ '^\d{2}[2-9]\d{3}-\d{4}$' AND (
    SELECT sum(CASE WHEN i % 2 = 1 THEN (d * 2) / 10 + (d * 2) % 10 ELSE d END) % 10 = 0
    FROM (SELECT i, substr(replace($1, '-', ''), i, 1)::int AS d FROM generate_series(1, 10) AS i) AS digits
)
$$;

-- A month as the sources give it: YYYY-MM. Compared as text, which orders it by time.
CREATE DOMAIN month AS text CONSTRAINT month_format CHECK (VALUE ~ '^\d{4}-(0[1-9]|1[0-2])$');

-- Area codes nest by prefix and are compared byte by byte, so that "inside 18" is the index range ['18', '18~').
CREATE DOMAIN area_code AS text COLLATE "C";
