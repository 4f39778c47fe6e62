-- From version 1 to version 2.

CREATE TABLE distributed_service (
  service_id text COLLATE "C" CONSTRAINT distributed_service_pkey PRIMARY KEY,
  service_name text NOT NULL,
  permissions text NOT NULL,
  version integer NOT NULL,
  created_at bigint NOT NULL
);

CREATE TABLE distributed_service_secret (
  key_id text COLLATE "C" CONSTRAINT distributed_service_secret_pkey PRIMARY KEY,
  service_id text COLLATE "C" NOT NULL
    CONSTRAINT distributed_service_secret_service REFERENCES distributed_service ON DELETE CASCADE,
  place bigint GENERATED ALWAYS AS IDENTITY,
  hash text NOT NULL,
  created_at bigint NOT NULL,
  ends_at bigint,
  last_used_at bigint
);

CREATE INDEX distributed_service_secret_by_service ON distributed_service_secret (service_id);

CREATE VIEW distributed_current_service AS
SELECT service.service_id, service.service_name, service.permissions, service.version, service.created_at, (
  SELECT json_agg(json_build_object(
    'keyId', secret.key_id, 'hash', secret.hash, 'createdAt', secret.created_at,
    'endsAt', secret.ends_at, 'lastUsedAt', secret.last_used_at) ORDER BY secret.place)
  FROM distributed_service_secret AS secret
  WHERE secret.service_id = service.service_id AND (secret.ends_at IS NULL OR secret.ends_at > distributed_now_ms())
) AS secrets
FROM distributed_service AS service;

CREATE FUNCTION distributed_announce_service(p_change text, p_service_id text, p_by text, p_at bigint, p_origin text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_put_service(
  p_service_id text, p_name text, p_permissions text, p_key_id text, p_hash text, p_replace boolean, p_by text,
  p_origin text
) RETURNS TABLE (outcome text, stored distributed_current_service) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_add_service_secret(
  p_service_id text, p_expected_version integer, p_key_id text, p_hash text, p_overlap bigint, p_by text, p_origin text
) RETURNS TABLE (outcome text, stored distributed_current_service) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_end_service_secret(p_service_id text, p_key_id text, p_by text, p_origin text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_remove_service(p_service_id text, p_by text, p_origin text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

INSERT INTO distributed_session_migration (version, name) VALUES (2, 'services');
