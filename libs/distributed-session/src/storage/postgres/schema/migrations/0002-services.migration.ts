/** The view shows each service with its valid secrets as JSON, oldest first. */
export const CURRENT_SERVICE_VIEW = `CREATE OR REPLACE VIEW {current_service} AS
SELECT service.service_id, service.service_name, service.permissions, service.version, service.created_at, (
  SELECT json_agg(json_build_object(
    'keyId', secret.key_id, 'hash', secret.hash, 'createdAt', secret.created_at,
    'endsAt', secret.ends_at, 'lastUsedAt', secret.last_used_at) ORDER BY secret.place)
  FROM {service_secret} AS secret
  WHERE secret.service_id = service.service_id
    AND (secret.ends_at IS NULL OR secret.ends_at > extract(epoch FROM clock_timestamp()) * 1000)
) AS secrets
FROM {service} AS service`;

/** Services and their secrets. */
export const servicesMigration = {
  version: 2,
  name: 'services',
  oldest: { schema: 2, release: '0.1.0' },
  statements: [
    `CREATE TABLE {service} (
  service_id text COLLATE "C" CONSTRAINT {constraint:service_pkey} PRIMARY KEY,
  service_name text NOT NULL,
  permissions text NOT NULL,
  version integer NOT NULL,
  created_at bigint NOT NULL
)`,
    `CREATE TABLE {service_secret} (
  key_id text COLLATE "C" CONSTRAINT {constraint:service_secret_pkey} PRIMARY KEY,
  service_id text COLLATE "C" NOT NULL
    CONSTRAINT {constraint:service_secret_service} REFERENCES {service} ON DELETE CASCADE,
  place bigint GENERATED ALWAYS AS IDENTITY,
  hash text NOT NULL,
  created_at bigint NOT NULL,
  ends_at bigint,
  last_used_at bigint
)`,
    'CREATE INDEX {index:service_secret_by_service} ON {service_secret} (service_id)',
    CURRENT_SERVICE_VIEW,
  ],
};
