-- OAuth 2 clients: machines of front ends, offices and analysts. Secrets are random 256 bit, stored as SHA-256.
CREATE TABLE clients (
    id uuid PRIMARY KEY,
    client_id text NOT NULL,
    name text NOT NULL,
    permissions text[] NOT NULL,
    areas text[] NOT NULL,
    revoked_at timestamptz,
    -- Tokens issued before this moment are refused: set when the client is revoked or loses a right.
    tokens_valid_after timestamptz NOT NULL DEFAULT '-infinity',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT client_id_once UNIQUE (client_id),
    CONSTRAINT client_permissions_known CHECK (permissions <@ ARRAY['registry:read', 'registry:write', 'contacts:read',
        'participation:read', 'participation:write', 'participation:approve', 'statistics:read', 'publish', 'sync:read',
        'imports:write', 'clients:admin', 'audit:read']),
    CONSTRAINT client_has_permission CHECK (cardinality(permissions) > 0),
    CONSTRAINT client_has_area CHECK (cardinality(areas) > 0)
);
CREATE INDEX clients_valid_after_idx ON clients (tokens_valid_after);
CREATE TRIGGER touch BEFORE UPDATE ON clients FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE client_secrets (
    id uuid PRIMARY KEY,
    client_id uuid NOT NULL,
    public_id text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT client_secret_client_exists FOREIGN KEY (client_id) REFERENCES clients (id),
    CONSTRAINT client_secret_once UNIQUE (public_id)
);
CREATE INDEX client_secrets_client_idx ON client_secrets (client_id);

-- Two active secrets at the most: one in use, one being rolled out.
CREATE FUNCTION check_client_secrets() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM 1 FROM clients WHERE id = NEW.client_id FOR UPDATE;
    IF (SELECT count(*) FROM client_secrets WHERE client_id = NEW.client_id AND revoked_at IS NULL) >= 2 THEN
        RAISE EXCEPTION 'client % has two active secrets', NEW.client_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'client_two_secrets', TABLE = 'client_secrets';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER check_client_secrets BEFORE INSERT ON client_secrets FOR EACH ROW EXECUTE FUNCTION check_client_secrets();
