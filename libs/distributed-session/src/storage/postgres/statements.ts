import { HISTORY_LIMIT } from '../session-storage.js';
import { PostgresStatement } from './functions/postgres-statement.js';
import { serviceColumns } from './records/stored-service.js';
import { sessionColumns } from './records/stored-session.js';

/** Finds a session, live or ended. */
export const findSession = new PostgresStatement({
  name: 'find-session',
  isReadOnly: true,
  params: ['sessionId'],
  returns: { now: 'bigint', stored: '{session}' },
  text: `
SELECT {now_ms}(), ${sessionColumns('session')}
FROM {session} AS session WHERE session.session_id {=} :sessionId::pg_catalog.uuid
`,
});

/** Lists the sessions of a user that have no tombstone, oldest first. Some may be due. */
export const listLiveSessions = new PostgresStatement({
  name: 'list-live-sessions',
  isReadOnly: true,
  params: ['loginId'],
  returns: { now: 'bigint', stored: '{session}' },
  text: `
SELECT {now_ms}(), ${sessionColumns('session')}
FROM {session} AS session WHERE session.login_id {=} :loginId::pg_catalog.text AND session.ended_at IS NULL
ORDER BY session.place
`,
});

/** Lists the newest tombstones of a user, and the sessions that are due but have no tombstone yet, in no order. */
export const listHistory = new PostgresStatement({
  name: 'list-history',
  isReadOnly: true,
  params: ['loginId'],
  returns: { now: 'bigint', stored: '{session}' },
  text: `
WITH clock (now) AS MATERIALIZED (SELECT {now_ms}()), ended AS (
  SELECT session.* FROM {session} AS session
  WHERE session.login_id {=} :loginId::pg_catalog.text AND session.ended_at IS NOT NULL AND session.sweep_at {>} (SELECT now FROM clock)
  ORDER BY session.ended_at DESC, session.place DESC LIMIT ${HISTORY_LIMIT}
), due AS (
  SELECT session.* FROM {session} AS session
  WHERE session.login_id {=} :loginId::pg_catalog.text AND session.ended_at IS NULL AND session.expires_at {<=} (SELECT now FROM clock)
)
SELECT clock.now, ${sessionColumns('session')}
FROM clock CROSS JOIN (SELECT * FROM ended UNION ALL SELECT * FROM due) AS session
`,
});

/** Counts live sessions, and the users who have some, from the counts that the functions maintain. */
export const countSessions = new PostgresStatement({
  name: 'count-sessions',
  isReadOnly: true,
  params: [],
  returns: { sessions: 'bigint', logins: 'bigint' },
  text: 'SELECT coalesce(pg_catalog.sum(sessions), 0), coalesce(pg_catalog.sum(logins), 0) FROM {session_count}',
});

/** Lists the users who have live sessions, ordered by login id, beginning after `after` (an empty string: from the start). */
export const listLogins = new PostgresStatement({
  name: 'list-logins',
  isReadOnly: true,
  params: ['after', 'limit'],
  returns: { loginId: 'text', sessions: 'bigint' },
  text: `
SELECT session.login_id, pg_catalog.count(*) FROM {session} AS session
WHERE session.ended_at IS NULL AND session.login_id {>} :after::pg_catalog.text AND session.expires_at {>} (SELECT {now_ms}())
GROUP BY session.login_id ORDER BY session.login_id LIMIT :limit::bigint
`,
});

/** Reports whether the server is a standby, whether transactions are read-only, and whether the user may write. */
export const checkHealth = new PostgresStatement({
  name: 'check-health',
  isReadOnly: true,
  params: [],
  returns: { isStandby: 'boolean', isReadOnly: 'boolean', mayWrite: 'boolean' },
  text: `SELECT pg_catalog.pg_is_in_recovery(),
  pg_catalog.current_setting('transaction_read_only'::pg_catalog.text) {=} 'on'::pg_catalog.text, {may_write}()`,
});

/** Finds a service by its id, with its valid secrets. */
export const findService = new PostgresStatement({
  name: 'find-service',
  isReadOnly: true,
  params: ['serviceId'],
  returns: '{current_service}',
  text: `SELECT ${serviceColumns('service')} FROM {current_service} AS service WHERE service.service_id {=} :serviceId::pg_catalog.text`,
});

/** Finds the service that has a secret with this key id, valid or not. */
export const findServiceByKeyId = new PostgresStatement({
  name: 'find-service-by-key-id',
  isReadOnly: true,
  params: ['keyId'],
  returns: '{current_service}',
  text: `
SELECT ${serviceColumns('service')} FROM {current_service} AS service
WHERE service.service_id {=} (SELECT secret.service_id FROM {service_secret} AS secret WHERE secret.key_id {=} :keyId::pg_catalog.text)
`,
});

/** Lists all services: at most a thousand. */
export const listServices = new PostgresStatement({
  name: 'list-services',
  isReadOnly: true,
  params: [],
  returns: '{current_service}',
  text: `SELECT ${serviceColumns('service')} FROM {current_service} AS service`,
});

/** Records that a secret was used now. */
export const recordServiceUse = new PostgresStatement({
  name: 'record-service-use',
  params: ['serviceId', 'keyId'],
  returns: 'void',
  text: `
UPDATE {service_secret} SET last_used_at = greatest(last_used_at, {now_ms}())
WHERE key_id {=} :keyId::pg_catalog.text AND service_id {=} :serviceId::pg_catalog.text
`,
});

/** Replaces the hash of a secret if it is still the expected one. Returns the key id of a replaced one. */
export const renewSecretHash = new PostgresStatement({
  name: 'renew-secret-hash',
  params: ['serviceId', 'keyId', 'expectedHash', 'hash'],
  returns: { keyId: 'text' },
  text: `
UPDATE {service_secret} SET hash = :hash::pg_catalog.text
WHERE key_id {=} :keyId::pg_catalog.text AND service_id {=} :serviceId::pg_catalog.text
  AND hash {=} :expectedHash::pg_catalog.text
RETURNING key_id
`,
});
