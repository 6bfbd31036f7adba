DROP DOMAIN area_code;
DROP DOMAIN month;
DROP FUNCTION is_org_number(text);
DROP FUNCTION touch();
DROP FUNCTION fold(text);
DROP EXTENSION btree_gist;
DROP EXTENSION unaccent;
DROP EXTENSION pg_trgm;
