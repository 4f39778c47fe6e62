import { PostgresFunction } from './postgres-function.js';

/**
 * Writes a new payload, and the token digest if one is given, to a session that is live and at the expected version.
 *
 * Params: `tokenDigest` is null to keep the stored one; `touch` records an access as well.
 * Returns: `outcome` (`replaced`, `conflict`, `ended`, `missing`), the time, the session as it is now: without its payload
 * after a replacement.
 * Atomicity: holds the session's row.
 */
export const replaceSession = new PostgresFunction({
  name: 'replace-session',
  params: {
    sessionId: 'uuid',
    expectedVersion: 'integer',
    tokenDigest: 'text',
    payload: 'bytea',
    touch: 'boolean',
    by: 'text',
    origin: 'text',
  },
  returns: { outcome: 'text', now: 'bigint', stored: '{session}' },
  body: `
DECLARE
  v_locked record;
  v_session {session};
BEGIN
  SELECT * INTO v_locked FROM {locked_session}(p_session_id, p_expected_version);
  v_session := v_locked.stored;
  IF v_locked.refusal IS NOT NULL THEN
    RETURN QUERY SELECT v_locked.refusal, v_locked.now, v_session;
    RETURN;
  END IF;
  IF p_touch THEN
    v_session.last_accessed_at := greatest(v_session.last_accessed_at, v_locked.now);
    v_session.expires_at :=
      least(v_session.last_accessed_at + v_session.idle_timeout_ms, v_session.absolute_expires_at);
  END IF;
  UPDATE {session} SET
    version = version + 1, payload = p_payload, token_digest = coalesce(p_token_digest, token_digest),
    last_accessed_at = v_session.last_accessed_at, expires_at = v_session.expires_at
  WHERE session_id = p_session_id RETURNING * INTO v_session;
  v_session.payload := NULL;
  PERFORM {queue_session_change}('session.updated'::text, v_session, p_by, v_locked.now, p_origin);
  RETURN QUERY SELECT 'replaced', v_locked.now, v_session;
END
`,
});
