-- Question: what do the measures mean?
-- Grain:    one row a measure that is not deleted, by code, as JSON of frozen::Measure, with `published` besides.
-- Caveats:  `bases` is filled while the numbers are read. Counts of people, places and occasions are protected cells;
--           people are not summed over subjects and forms, since one person can have several.
SELECT json_build_object('code', measure.code, 'kind', measure.kind, 'unit', measure.unit,
    'label', json_build_object('sv', measure.label_sv, 'en', measure.label_en),
    'definition', json_build_object('sv', measure.definition_sv, 'en', measure.definition_en),
    'numerator', measure.numerator_code, 'denominator', measure.denominator, 'denominator_ages', measure.denominator_age_band,
    'source_url', measure.source_url,
    'additive', json_build_object('subjects', measure.unit <> 'persons', 'forms', measure.unit <> 'persons'),
    'bases', '[]'::json,
    'counted', measure.kind = 'count' AND measure.unit IN ('persons', 'places', 'occasions'),
    'breaks', coalesce((
        SELECT json_agg(json_build_object('first_period', first_period,
            'reason', json_build_object('sv', reason_sv, 'en', reason_en), 'source_url', source_url) ORDER BY first_period COLLATE "C")
        FROM series_breaks WHERE measure_code = measure.code), '[]'),
    'notes', coalesce((
        SELECT json_agg(json_build_object('mandatory', mandatory, 'area', area_code, 'period', period,
            'text', json_build_object('sv', text_sv, 'en', text_en), 'source_url', source_url) ORDER BY mandatory DESC, position)
        FROM measure_notes WHERE measure_code = measure.code), '[]'),
    'published', measure.state = 'published')::text
FROM measures AS measure
WHERE measure.deleted_at IS NULL
ORDER BY measure.code COLLATE "C"
