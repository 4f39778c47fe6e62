import { PostgresFunction } from './postgres-function.js';

/**
 * Locks a session's row, then reads the time, then decides whether the session can be written.
 *
 * Params: `expectedVersion` is null for any version.
 * Returns: `refusal` (`missing`, `ended`, `conflict`, or null), the time, and the row, which is null if there is none.
 */
export const lockedSession = new PostgresFunction({
  name: 'locked-session',
  isPart: true,
  params: { sessionId: 'uuid', expectedVersion: 'integer' },
  returns: { refusal: 'text', now: 'bigint', stored: '{session}' },
  body: `
BEGIN
  SELECT * INTO stored FROM {session} WHERE session_id = p_session_id FOR UPDATE;
  now := {now_ms}();
  refusal := CASE
    WHEN stored.session_id IS NULL OR (stored.ended_at IS NOT NULL AND stored.sweep_at <= now) THEN 'missing'
    WHEN stored.ended_at IS NOT NULL OR stored.expires_at <= now THEN 'ended'
    WHEN stored.version <> p_expected_version THEN 'conflict'
  END;
  RETURN NEXT;
END
`,
});
