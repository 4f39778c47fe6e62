import { LOCK_LOGIN_OF_SESSION } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/**
 * Ends a session.
 *
 * Params: `actor` may be null.
 * Returns: `outcome` (`ended`, `already-ended`, `missing`), the time, the tombstone; of a session that expired before,
 * the row from which its tombstone follows.
 * Atomicity: holds the user's lock and the session's row.
 */
export const endSession = new PostgresFunction({
  name: 'end-session',
  params: { sessionId: 'uuid', reason: 'text', by: 'text', actor: 'text', retentionMs: 'bigint', origin: 'text' },
  returns: { outcome: 'text', now: 'bigint', stored: '{session}' },
  body: `
DECLARE
  v_login_id text;
  v_locked record;
  v_session {session};
BEGIN
  ${LOCK_LOGIN_OF_SESSION}
  SELECT * INTO v_locked FROM {locked_session}(p_session_id, NULL::integer);
  v_session := v_locked.stored;
  outcome := CASE v_locked.refusal WHEN 'missing' THEN 'missing' WHEN 'ended' THEN 'already-ended' ELSE 'ended' END;
  IF outcome = 'missing' OR v_session.ended_at IS NOT NULL THEN
    RETURN QUERY SELECT outcome, v_locked.now, v_session;
    RETURN;
  END IF;
  IF outcome = 'ended' THEN
    v_session := {write_tombstone}(
      p_session_id, p_reason, v_locked.now, p_by, p_actor, NULL::uuid, NULL::bigint, p_retention_ms, p_origin);
  ELSE
    PERFORM {expire_sessions}(ARRAY[p_session_id], p_retention_ms, p_origin);
  END IF;
  PERFORM {trim_history}(ARRAY[v_session.login_id]);
  PERFORM {count_login}(v_session.login_id, -1, true);
  RETURN QUERY SELECT outcome, v_locked.now, v_session;
END
`,
});
