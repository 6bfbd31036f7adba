-- Question: are Sweden's country, counties and municipalities here as SCB lists them? Adds what is missing, mends what differs.
-- Grain: one row an area.
-- Caveats: an area that is as it should be is not touched, so its version stays. Foreign keys are checked when the
-- statement ends, so the rows may come in any order.
-- Binds: codes, kinds, names and parents as arrays, read from the source $5.
INSERT INTO areas (code, kind, name, parent_code, source_url)
SELECT code, kind, name, parent_code, $5
FROM unnest($1, $2, $3, $4) AS sweden (code, kind, name, parent_code)
ON CONFLICT (code) DO UPDATE
SET kind = excluded.kind,
    name = excluded.name,
    parent_code = excluded.parent_code,
    source_url = excluded.source_url
WHERE (areas.kind, areas.name, areas.parent_code, areas.source_url)
    IS DISTINCT FROM (excluded.kind, excluded.name, excluded.parent_code, excluded.source_url)
