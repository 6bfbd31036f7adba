-- Question: write the content of the populations $1 anew.
-- Grain:    one population that is there.
-- Caveats:  each counts its version up, also one that said the same before: whoever asks has compared.
UPDATE populations
SET area_code = given.area_code, year = given.year, gender = given.gender, age_from = given.age_from, age_to = given.age_to,
    value = given.value, reference_date = given.reference_date, source_id = given.source_id, note = given.note
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::integer[], $6::integer[], $7::integer[], $8::date[],
    $9::uuid[], $10::text[])
    AS given (id, area_code, year, gender, age_from, age_to, value, reference_date, source_id, note)
WHERE populations.id = given.id
