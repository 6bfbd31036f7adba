-- Question: keep the document $3 of kind $2 of the publication $1.
-- Grain:    one row.
-- Caveats:  none.
INSERT INTO publication_documents (publication_id, kind, content) VALUES ($1, $2, $3::text::jsonb)
