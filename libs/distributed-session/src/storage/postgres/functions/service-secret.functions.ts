import { MAX_SERVICE_SECRETS } from '../../service-credential-storage.js';
import { SERVICES_LOCK, lockRow } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

const IS_VALID = '(ends_at IS NULL OR ends_at > v_now)';

/**
 * Adds a secret to a service at the expected version, and sets the end of the earlier secrets.
 *
 * Params: `hash` is JSON; `overlapMs` is how long earlier secrets remain valid.
 * Returns: `outcome` (`stored`, `too-many-secrets`, `conflict`, `missing`) and the service.
 * Atomicity: holds the lock of all services.
 */
export const addServiceSecret = new PostgresFunction({
  name: 'add-service-secret',
  params: {
    serviceId: 'text',
    expectedVersion: 'integer',
    keyId: 'text',
    hash: 'text',
    overlapMs: 'bigint',
    by: 'text',
    origin: 'text',
  },
  returns: { outcome: 'text', stored: '{current_service}' },
  body: `
DECLARE
  v_now bigint;
  v_version integer;
BEGIN
  ${lockRow(SERVICES_LOCK)}
  v_now := {now_ms}();
  SELECT version INTO v_version FROM {service} WHERE service_id = p_service_id;
  outcome := CASE
    WHEN v_version IS NULL THEN 'missing'
    WHEN v_version <> p_expected_version THEN 'conflict'
    WHEN p_overlap_ms > 0 AND (
      SELECT count(*) FROM {service_secret} WHERE service_id = p_service_id AND ${IS_VALID}
    ) >= ${MAX_SERVICE_SECRETS} THEN 'too-many-secrets'
    ELSE 'stored'
  END;
  IF outcome = 'stored' THEN
    DELETE FROM {service_secret} WHERE service_id = p_service_id AND (p_overlap_ms = 0 OR NOT ${IS_VALID});
    UPDATE {service_secret} SET ends_at = least(ends_at, v_now + p_overlap_ms) WHERE service_id = p_service_id;
    INSERT INTO {service_secret} (key_id, service_id, hash, created_at) VALUES (p_key_id, p_service_id, p_hash, v_now);
    UPDATE {service} SET version = version + 1 WHERE service_id = p_service_id;
    PERFORM {queue_service_change}('secret-added'::text, p_service_id, p_by, v_now, p_origin);
  END IF;
  RETURN QUERY SELECT outcome, s FROM {current_service} AS s WHERE s.service_id = p_service_id;
  IF NOT FOUND THEN RETURN NEXT; END IF;
END
`,
});

/**
 * Ends a secret of a service, and returns whether it was valid.
 *
 * Atomicity: holds the lock of all services.
 */
export const endServiceSecret = new PostgresFunction({
  name: 'end-service-secret',
  params: { serviceId: 'text', keyId: 'text', by: 'text', origin: 'text' },
  returns: 'boolean',
  body: `
DECLARE
  v_now bigint;
BEGIN
  ${lockRow(SERVICES_LOCK)}
  v_now := {now_ms}();
  DELETE FROM {service_secret} WHERE key_id = p_key_id AND service_id = p_service_id AND ${IS_VALID};
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE {service} SET version = version + 1 WHERE service_id = p_service_id;
  PERFORM {queue_service_change}('secret-ended'::text, p_service_id, p_by, v_now, p_origin);
  RETURN true;
END
`,
});
