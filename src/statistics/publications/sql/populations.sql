-- Question: how many residents does an area have at the end of a year, by gender and age?
-- Grain:    one row an area, year, gender and age band.
-- Caveats:  of several counts of one year the newest reference date holds for all of an area, since numbers of two
--           days do not belong together; among sources of the same day those of $1 come first, in its order.
SELECT DISTINCT ON (population.area_code, population.year, population.gender, population.age_from, population.age_to)
    population.area_code::text, population.year, population.gender, population.age_from, population.age_to,
    population.value, population.reference_date::text, population.source_id::text
FROM (
    SELECT *, max(reference_date) OVER (PARTITION BY area_code, year) AS newest
    FROM populations
    WHERE deleted_at IS NULL
) AS population
JOIN sources AS source ON source.id = population.source_id AND source.deleted_at IS NULL
    AND (source.state = 'published' OR source.id = ANY ($1::uuid[]))
WHERE population.reference_date = population.newest
ORDER BY population.area_code, population.year, population.gender, population.age_from, population.age_to,
    array_position($1::uuid[], population.source_id) NULLS LAST, source.official_statistics DESC, population.id
