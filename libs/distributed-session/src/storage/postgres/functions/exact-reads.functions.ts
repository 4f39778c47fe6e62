import { PostgresFunction } from './postgres-function.js';

/*
 * Reads of sessions that appear to have expired. A transaction in flight may have extended one before its expiry, and not
 * be visible yet. These reads wait for it, and read the time afterwards: a later change will find the session expired. So
 * no process sees a session ended and then live. A read-only user cannot take the lock and reads the current snapshot.
 */

/** Returns the time and a session; no row if there is none. */
export const readSessionExactly = new PostgresFunction({
  name: 'read-session-exactly',
  isReadOnly: true,
  params: { sessionId: 'uuid' },
  returns: { now: 'bigint', stored: '{session}' },
  body: `
BEGIN
  IF {may_write}() THEN
    PERFORM FROM {session} WHERE session_id = p_session_id AND ended_at IS NULL FOR SHARE;
  END IF;
  RETURN QUERY SELECT {now_ms}(), s FROM {session} AS s WHERE s.session_id = p_session_id;
END
`,
});

/** Returns the time and each session of a user, live or ended, in no order. */
export const readLoginExactly = new PostgresFunction({
  name: 'read-login-exactly',
  isReadOnly: true,
  params: { loginId: 'text' },
  returns: { now: 'bigint', stored: '{session}' },
  body: `
DECLARE
  v_now bigint;
BEGIN
  IF {may_write}() THEN
    PERFORM FROM {session} WHERE login_id = p_login_id AND ended_at IS NULL ORDER BY session_id FOR SHARE;
  END IF;
  v_now := {now_ms}();
  RETURN QUERY SELECT v_now, s FROM {session} AS s WHERE s.login_id = p_login_id AND s.ended_at IS NULL;
  RETURN QUERY SELECT v_now, s FROM {session} AS s WHERE s.login_id = p_login_id AND s.ended_at IS NOT NULL;
END
`,
});
