import { MAX_SERVICES } from '../../service-credential-storage.js';
import { SERVICES_LOCK, lockRow } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/**
 * Registers a service, or replaces it together with all its secrets.
 *
 * Params: `permissions` and `hash` are JSON.
 * Returns: `outcome` (`stored`, `exists`, `look-alike`, `full`) and the service; for `look-alike`, the other one.
 * Atomicity: holds the lock of all services, which are few and rarely change.
 */
export const putService = new PostgresFunction({
  name: 'put-service',
  params: {
    serviceId: 'text',
    name: 'text',
    permissions: 'text',
    keyId: 'text',
    hash: 'text',
    replace: 'boolean',
    by: 'text',
    origin: 'text',
  },
  returns: { outcome: 'text', stored: '{current_service}' },
  body: `
DECLARE
  v_now bigint;
  v_exists boolean;
  v_look_alike text;
BEGIN
  ${lockRow(SERVICES_LOCK)}
  v_now := {now_ms}();
  v_exists := EXISTS (SELECT FROM {service} WHERE service_id = p_service_id);
  -- The same as serviceIdSkeleton().
  v_look_alike := (SELECT service_id FROM {service} WHERE NOT v_exists
    AND translate(lower(service_id COLLATE "C"), '._-', '') = translate(lower(p_service_id COLLATE "C"), '._-', '')
    LIMIT 1);
  outcome := CASE
    WHEN v_exists AND NOT p_replace THEN 'exists'
    WHEN v_look_alike IS NOT NULL THEN 'look-alike'
    WHEN NOT v_exists AND (SELECT count(*) FROM {service}) >= ${MAX_SERVICES} THEN 'full'
    ELSE 'stored'
  END;
  IF outcome = 'stored' THEN
    INSERT INTO {service} AS s (service_id, service_name, permissions, version, created_at)
    VALUES (p_service_id, p_name, p_permissions, 1, v_now)
    ON CONFLICT (service_id) DO UPDATE SET
      service_name = excluded.service_name, permissions = excluded.permissions, version = s.version + 1;
    DELETE FROM {service_secret} WHERE service_id = p_service_id;
    INSERT INTO {service_secret} (key_id, service_id, hash, created_at) VALUES (p_key_id, p_service_id, p_hash, v_now);
    PERFORM {queue_service_change}(
      CASE WHEN v_exists THEN 'replaced' ELSE 'registered' END, p_service_id, p_by, v_now, p_origin);
  END IF;
  RETURN QUERY SELECT outcome, s FROM {current_service} AS s WHERE s.service_id = coalesce(v_look_alike, p_service_id);
  IF NOT FOUND THEN RETURN NEXT; END IF;
END
`,
});
