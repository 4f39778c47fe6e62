import type { SchemaNames } from '../../schema-names.js';

/** Services and their secrets; the view shows each with the secrets that are good now, as JSON, oldest first. */
export function serviceTables(names: SchemaNames): string[] {
  const { service, serviceSecret } = names;
  return [
    `CREATE TABLE ${service} (
  service_id text COLLATE "C" CONSTRAINT ${names.local('service_pkey')} PRIMARY KEY,
  service_name text NOT NULL,
  permissions text NOT NULL,
  version integer NOT NULL,
  created_at bigint NOT NULL
)`,
    `CREATE TABLE ${serviceSecret} (
  key_id text COLLATE "C" CONSTRAINT ${names.local('service_secret_pkey')} PRIMARY KEY,
  service_id text COLLATE "C" NOT NULL
    CONSTRAINT ${names.local('service_secret_service')} REFERENCES ${service} ON DELETE CASCADE,
  place bigint GENERATED ALWAYS AS IDENTITY,
  hash text NOT NULL,
  created_at bigint NOT NULL,
  ends_at bigint,
  last_used_at bigint
)`,
    `CREATE INDEX ${names.local('service_secret_by_service')} ON ${serviceSecret} (service_id)`,
    `CREATE VIEW ${names.currentService} AS
SELECT service.service_id, service.service_name, service.permissions, service.version, service.created_at, (
  SELECT json_agg(json_build_object(
    'keyId', secret.key_id, 'hash', secret.hash, 'createdAt', secret.created_at,
    'endsAt', secret.ends_at, 'lastUsedAt', secret.last_used_at) ORDER BY secret.place)
  FROM ${serviceSecret} AS secret
  WHERE secret.service_id = service.service_id AND (secret.ends_at IS NULL OR secret.ends_at > ${names.of('now_ms')}())
) AS secrets
FROM ${service} AS service`,
  ];
}
