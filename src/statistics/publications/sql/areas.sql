-- Question: which areas are there?
-- Grain:    one row a published area that is not deleted, by code, as JSON of frozen::Area.
-- Caveats:  areas that ended long ago are among them: old periods have numbers of them.
SELECT json_build_object('code', code, 'name', name, 'level', kind, 'parent', parent_code, 'scheme', scheme,
    'valid_from', valid_from, 'valid_to', valid_to)::text
FROM areas
WHERE deleted_at IS NULL AND state = 'published'
ORDER BY code
