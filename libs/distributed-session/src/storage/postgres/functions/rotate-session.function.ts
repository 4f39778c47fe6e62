import { LOCK_LOGIN_OF_SESSION } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/**
 * Moves a session that is live and at the expected version to a new id, token digest and payload; the old row becomes a
 * tombstone.
 *
 * Params: `tokenDigest` is the successor's; it and `actor` may be null.
 * Returns: `outcome` (`rotated`, `id-taken`, `conflict`, `ended`, `missing`), the time, the successor or the session as it
 * is now.
 * Atomicity: holds the user's lock and the session's row.
 */
export const rotateSession = new PostgresFunction({
  name: 'rotate-session',
  params: {
    sessionId: 'uuid',
    expectedVersion: 'integer',
    successorId: 'uuid',
    tokenDigest: 'text',
    payload: 'bytea',
    graceMs: 'bigint',
    by: 'text',
    actor: 'text',
    retentionMs: 'bigint',
    origin: 'text',
  },
  returns: { outcome: 'text', now: 'bigint', stored: '{session}' },
  body: `
DECLARE
  v_login_id text;
  v_locked record;
  v_now bigint;
  v_session {session};
BEGIN
  ${LOCK_LOGIN_OF_SESSION}
  SELECT * INTO v_locked FROM {locked_session}(p_session_id, p_expected_version);
  outcome := v_locked.refusal;
  v_now := v_locked.now;
  v_session := v_locked.stored;
  IF outcome IS NULL THEN
    INSERT INTO {session} (
      session_id, login_id, service_id, device, version, place, created_at, last_accessed_at, idle_timeout_ms,
      absolute_expires_at, expires_at, sweep_at, token_digest, payload)
    SELECT
      p_successor_id, v_session.login_id, v_session.service_id, v_session.device, 1, v_session.place,
      v_session.created_at, greatest(v_session.last_accessed_at, v_now), v_session.idle_timeout_ms,
      v_session.absolute_expires_at, ending.at, ending.at, p_token_digest, p_payload
    FROM (SELECT least(
      greatest(v_session.last_accessed_at, v_now) + v_session.idle_timeout_ms, v_session.absolute_expires_at)) AS ending (at)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN outcome := 'id-taken'; END IF;
  END IF;
  IF outcome IS NOT NULL THEN
    RETURN QUERY SELECT outcome, v_now, v_session;
    RETURN;
  END IF;
  PERFORM {write_tombstone}(
    p_session_id, 'rotated'::text, v_now, p_by, p_actor, p_successor_id, v_now + p_grace_ms, p_retention_ms, p_origin);
  PERFORM {trim_history}(ARRAY[v_session.login_id]);
  RETURN QUERY SELECT 'rotated', v_now, s FROM {session} AS s WHERE s.session_id = p_successor_id;
END
`,
});
