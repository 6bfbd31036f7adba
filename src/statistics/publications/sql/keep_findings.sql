-- Question: keep the findings $1.
-- Grain:    one row an element of the JSON array.
-- Caveats:  names of the members are names of the columns.
INSERT INTO publication_findings
SELECT * FROM jsonb_populate_recordset(NULL::publication_findings, $1::text::jsonb)
