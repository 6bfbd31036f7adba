-- Question: how small a group may be shown, and how fine?
-- Grain:    one row a policy, as JSON of frozen::Policy.
-- Caveats:  none.
SELECT json_build_object('dimension', dimension, 'code', code, 'threshold', threshold, 'finest_level', finest_level,
    'reason', json_build_object('sv', reason_sv, 'en', reason_en))::text
FROM protection_policies
ORDER BY dimension <> 'any', dimension COLLATE "C", code COLLATE "C"
