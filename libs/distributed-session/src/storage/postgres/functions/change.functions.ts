import { PostgresFunction } from './postgres-function.js';

/** Queues a change in the transaction that makes it; the next flush publishes it. */
const queueChange = new PostgresFunction({
  name: 'queue-change',
  isPart: true,
  params: { change: 'json' },
  returns: 'void',
  body: `
BEGIN
  INSERT INTO {session_change} (change) VALUES (json_strip_nulls(p_change)::text);
END
`,
});

/** Queues a change of a session. */
const queueSessionChange = new PostgresFunction({
  name: 'queue-session-change',
  isPart: true,
  params: { type: 'text', session: '{session}', by: 'text', at: 'bigint', origin: 'text' },
  returns: 'void',
  body: `
BEGIN
  PERFORM {queue_change}(json_build_object(
    'type', p_type, 'sessionId', p_session.session_id, 'loginId', p_session.login_id,
    'serviceId', p_session.service_id, 'device', p_session.device, 'version', p_session.version,
    'by', p_by, 'at', p_at, 'rotatedTo', p_session.rotated_to,
    'reason', CASE WHEN p_type = 'session.ended' THEN p_session.reason END, 'actor', p_session.actor,
    'origin', p_origin));
END
`,
});

/** Queues a change of a service. */
const queueServiceChange = new PostgresFunction({
  name: 'queue-service-change',
  isPart: true,
  params: { change: 'text', serviceId: 'text', by: 'text', at: 'bigint', origin: 'text' },
  returns: 'void',
  body: `
BEGIN
  PERFORM {queue_change}(json_build_object(
    'type', 'service.changed', 'change', p_change, 'serviceId', p_service_id, 'by', p_by, 'at', p_at,
    'origin', p_origin));
END
`,
});

/** Returns whether the caller may write: the server accepts writes, and the user has the rights. */
const mayWrite = new PostgresFunction({
  name: 'may-write',
  params: {},
  returns: 'boolean',
  language: 'sql',
  volatility: 'STABLE',
  body: `
NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
  AND has_table_privilege('{session}', 'INSERT') AND has_table_privilege('{session}', 'UPDATE')
  AND has_table_privilege('{session}', 'DELETE') AND has_table_privilege('{session_change}', 'DELETE')
  AND has_any_column_privilege('{session_lock}', 'UPDATE')
  AND has_table_privilege('{session_feed}', 'INSERT') AND has_table_privilege('{session_feed}', 'DELETE')
`,
});

/** The queue of changes, which `flush_changes` publishes. */
export const CHANGE_FUNCTIONS = [queueChange, queueSessionChange, queueServiceChange, mayWrite];
