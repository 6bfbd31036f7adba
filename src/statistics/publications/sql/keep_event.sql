-- Question: write down that the client $2 made a publication ($4) by the request $3.
-- Grain:    one row.
-- Caveats:  in the transaction of the publication: there is no publication without it.
INSERT INTO audit_events (id, action, client_id, request_id, area_codes, detail)
VALUES ($1, 'publication_made', $2, $3, '{SE}', $4::text::jsonb)
