-- Question: which live populations have these areas ($2), days ($3), genders ($4), ages ($5, $6) and sources ($7)?
-- Grain:    one row for each given name that is there, told by its number $1; population_once says that it is one at the most.
-- Caveats:  they are not locked, so what is found may be gone when it is.
SELECT given.n, populations.id
FROM unnest($1::integer[], $2::text[], $3::date[], $4::text[], $5::integer[], $6::integer[], $7::uuid[])
    AS given (n, area_code, reference_date, gender, age_from, age_to, source_id)
JOIN populations ON populations.area_code = given.area_code AND populations.reference_date = given.reference_date
    AND populations.gender = given.gender AND populations.age_from = given.age_from AND populations.age_to = given.age_to
    AND populations.source_id = given.source_id
WHERE populations.deleted_at IS NULL
