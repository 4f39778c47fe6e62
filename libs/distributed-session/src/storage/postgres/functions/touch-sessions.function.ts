import { PostgresFunction } from './postgres-function.js';

/**
 * Records an access to live sessions.
 *
 * Params: `wait` decides about rows that other transactions hold: it waits for them, or returns them as held, for a
 * second call.
 * Returns: one row for each live session that was touched or is held.
 * Atomicity: each session is its own step; none waits for another one's lock.
 */
export const touchSessions = new PostgresFunction({
  name: 'touch-sessions',
  params: { sessionIds: 'uuid[]', wait: 'boolean' },
  returns: { sessionId: 'uuid', lastAccessedAt: 'bigint', expiresAt: 'bigint', isHeld: 'boolean' },
  body: `
#variable_conflict use_column
DECLARE
  v_now bigint;
  v_free uuid[];
BEGIN
  IF p_wait THEN
    v_free := ARRAY(
      SELECT session_id FROM {session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL
      ORDER BY session_id FOR UPDATE);
  ELSE
    v_free := ARRAY(
      SELECT session_id FROM {session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL
      ORDER BY session_id FOR UPDATE SKIP LOCKED);
  END IF;
  v_now := {now_ms}();
  RETURN QUERY UPDATE {session} SET
    last_accessed_at = greatest(last_accessed_at, v_now),
    expires_at = least(greatest(last_accessed_at, v_now) + idle_timeout_ms, absolute_expires_at)
  WHERE session_id = ANY (v_free) AND ended_at IS NULL AND expires_at > v_now
  RETURNING session_id, last_accessed_at, expires_at, false;
  RETURN QUERY SELECT session_id, last_accessed_at, expires_at, true FROM {session}
  WHERE session_id = ANY (p_session_ids) AND session_id <> ALL (v_free) AND ended_at IS NULL;
END
`,
});
