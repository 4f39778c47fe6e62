import { MAX_SERVICES, MAX_SERVICE_SECRETS } from '../../../../service-credential-storage.js';
import type { SchemaNames } from '../../schema-names.js';

/** Steps that change services. They come one after the other: services are few, and changed by people. */
export function serviceFunctions(names: SchemaNames): string[] {
  const { service, serviceSecret, currentService } = names;
  const fn = (name: string) => names.of(name);
  const lock = `pg_advisory_xact_lock(${names.lockSeed})`;
  const isGood = `(ends_at IS NULL OR ends_at > v_now)`;
  return [
    `CREATE FUNCTION ${fn('announce_service')}(p_change text, p_service_id text, p_by text, p_at bigint, p_origin text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ${fn('announce')}(json_build_object(
    'type', 'service.changed', 'change', p_change, 'serviceId', p_service_id, 'by', p_by, 'at', p_at,
    'origin', p_origin));
END
$$`,
    `CREATE FUNCTION ${fn('put_service')}(
  p_service_id text, p_name text, p_permissions text, p_key_id text, p_hash text, p_replace boolean, p_by text,
  p_origin text
) RETURNS TABLE (outcome text, stored ${currentService}) LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
  v_exists boolean;
BEGIN
  PERFORM ${lock};
  v_now := ${fn('now_ms')}();
  v_exists := EXISTS (SELECT FROM ${service} WHERE service_id = p_service_id);
  outcome := CASE
    WHEN v_exists AND NOT p_replace THEN 'exists'
    WHEN NOT v_exists AND (SELECT count(*) FROM ${service}) >= ${MAX_SERVICES} THEN 'full'
    ELSE 'stored'
  END;
  IF outcome = 'stored' THEN
    INSERT INTO ${service} AS s (service_id, service_name, permissions, version, created_at)
    VALUES (p_service_id, p_name, p_permissions, 1, v_now)
    ON CONFLICT (service_id) DO UPDATE SET
      service_name = excluded.service_name, permissions = excluded.permissions, version = s.version + 1;
    DELETE FROM ${serviceSecret} WHERE service_id = p_service_id;
    INSERT INTO ${serviceSecret} (key_id, service_id, hash, created_at) VALUES (p_key_id, p_service_id, p_hash, v_now);
    PERFORM ${fn('announce_service')}(
      CASE WHEN v_exists THEN 'replaced' ELSE 'registered' END, p_service_id, p_by, v_now, p_origin);
  END IF;
  RETURN QUERY SELECT outcome, s FROM ${currentService} AS s WHERE s.service_id = p_service_id;
  IF NOT FOUND THEN RETURN NEXT; END IF;
END
$$`,
    `CREATE FUNCTION ${fn('add_service_secret')}(
  p_service_id text, p_expected_version integer, p_key_id text, p_hash text, p_overlap bigint, p_by text, p_origin text
) RETURNS TABLE (outcome text, stored ${currentService}) LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
  v_version integer;
BEGIN
  PERFORM ${lock};
  v_now := ${fn('now_ms')}();
  SELECT version INTO v_version FROM ${service} WHERE service_id = p_service_id;
  outcome := CASE
    WHEN v_version IS NULL THEN 'missing'
    WHEN v_version <> p_expected_version THEN 'conflict'
    WHEN p_overlap > 0 AND (
      SELECT count(*) FROM ${serviceSecret} WHERE service_id = p_service_id AND ${isGood}
    ) >= ${MAX_SERVICE_SECRETS} THEN 'too-many-secrets'
    ELSE 'stored'
  END;
  IF outcome = 'stored' THEN
    DELETE FROM ${serviceSecret} WHERE service_id = p_service_id AND (p_overlap = 0 OR NOT ${isGood});
    UPDATE ${serviceSecret} SET ends_at = least(ends_at, v_now + p_overlap) WHERE service_id = p_service_id;
    INSERT INTO ${serviceSecret} (key_id, service_id, hash, created_at) VALUES (p_key_id, p_service_id, p_hash, v_now);
    UPDATE ${service} SET version = version + 1 WHERE service_id = p_service_id;
    PERFORM ${fn('announce_service')}('secret-added', p_service_id, p_by, v_now, p_origin);
  END IF;
  RETURN QUERY SELECT outcome, s FROM ${currentService} AS s WHERE s.service_id = p_service_id;
  IF NOT FOUND THEN RETURN NEXT; END IF;
END
$$`,
    `CREATE FUNCTION ${fn('end_service_secret')}(p_service_id text, p_key_id text, p_by text, p_origin text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
BEGIN
  PERFORM ${lock};
  v_now := ${fn('now_ms')}();
  DELETE FROM ${serviceSecret} WHERE key_id = p_key_id AND service_id = p_service_id AND ${isGood};
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE ${service} SET version = version + 1 WHERE service_id = p_service_id;
  PERFORM ${fn('announce_service')}('secret-ended', p_service_id, p_by, v_now, p_origin);
  RETURN true;
END
$$`,
    `CREATE FUNCTION ${fn('remove_service')}(p_service_id text, p_by text, p_origin text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ${lock};
  DELETE FROM ${service} WHERE service_id = p_service_id;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM ${fn('announce_service')}('revoked', p_service_id, p_by, ${fn('now_ms')}(), p_origin);
  RETURN true;
END
$$`,
  ];
}
