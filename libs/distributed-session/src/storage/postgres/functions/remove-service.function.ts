import { SERVICES_LOCK, lockRow } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/**
 * Removes a service with all its secrets, and returns whether it was registered.
 *
 * Atomicity: holds the lock of all services.
 */
export const removeService = new PostgresFunction({
  name: 'remove-service',
  params: { serviceId: 'text', by: 'text', origin: 'text' },
  returns: 'boolean',
  body: `
BEGIN
  ${lockRow(SERVICES_LOCK)}
  -- Not by the foreign key: session_replication_role = replica ignores it.
  DELETE FROM {service_secret} WHERE service_id = p_service_id;
  DELETE FROM {service} WHERE service_id = p_service_id;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM {queue_service_change}('revoked'::text, p_service_id, p_by, {now_ms}(), p_origin);
  RETURN true;
END
`,
});
