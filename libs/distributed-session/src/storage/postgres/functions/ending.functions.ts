import { HISTORY_LIMIT } from '../../session-storage.js';
import { PostgresFunction } from './postgres-function.js';

/** Turns a live session, whose row is locked, into its tombstone, and returns it. */
const writeTombstone = new PostgresFunction({
  name: 'write-tombstone',
  isPart: true,
  params: {
    sessionId: 'uuid',
    reason: 'text',
    at: 'bigint',
    by: 'text',
    actor: 'text',
    rotatedTo: 'uuid',
    graceEndsAt: 'bigint',
    retentionMs: 'bigint',
    origin: 'text',
  },
  returns: '{session}',
  body: `
DECLARE
  v_ended {session};
BEGIN
  UPDATE {session} SET
    ended_at = p_at, reason = p_reason, ended_by = p_by, actor = p_actor, rotated_to = p_rotated_to,
    grace_ends_at = p_grace_ends_at, payload = NULL, sweep_at = p_at + p_retention_ms, place = nextval('{session_place}')
  WHERE session_id = p_session_id RETURNING * INTO v_ended;
  PERFORM {queue_session_change}(
    CASE WHEN p_reason = 'rotated' THEN 'session.rotated' ELSE 'session.ended' END, v_ended, p_by, p_at, p_origin);
  RETURN v_ended;
END
`,
});

/** Turns expired sessions, whose rows are locked, into their tombstones. Returns how many. */
const expireSessions = new PostgresFunction({
  name: 'expire-sessions',
  isPart: true,
  params: { sessionIds: 'uuid[]', retentionMs: 'bigint', origin: 'text' },
  returns: 'integer',
  body: `
DECLARE
  v_ended {session};
  v_count integer := 0;
BEGIN
  FOR v_ended IN
    UPDATE {session} SET
      ended_at = expires_at, ended_by = '@expiry',
      reason = CASE WHEN expires_at >= absolute_expires_at THEN 'absolute-timeout' ELSE 'idle-timeout' END,
      payload = NULL, sweep_at = expires_at + p_retention_ms, place = nextval('{session_place}')
    WHERE session_id = ANY(p_session_ids) RETURNING *
  LOOP
    v_count := v_count + 1;
    PERFORM {queue_session_change}('session.ended'::text, v_ended, '@expiry'::text, v_ended.ended_at, p_origin);
  END LOOP;
  RETURN v_count;
END
`,
});

/**
 * Expires the due sessions of a user whose lock is held. Waits for transactions in flight, which may have extended some
 * of them. Returns how many expired.
 */
const expireDue = new PostgresFunction({
  name: 'expire-due',
  isPart: true,
  params: { loginId: 'text', now: 'bigint', retentionMs: 'bigint', origin: 'text' },
  returns: 'integer',
  body: `
DECLARE
  v_due uuid[];
BEGIN
  v_due := ARRAY(
    SELECT session_id FROM {session} WHERE login_id = p_login_id AND ended_at IS NULL AND expires_at <= p_now
    ORDER BY session_id FOR UPDATE);
  IF v_due = '{}' THEN RETURN 0; END IF;
  RETURN {expire_sessions}(v_due, p_retention_ms, p_origin);
END
`,
});

/** Ends sessions of a user whose lock is held, in the given order, unless they have ended meanwhile. Returns how many. */
const endLive = new PostgresFunction({
  name: 'end-live',
  isPart: true,
  params: {
    sessionIds: 'uuid[]',
    reason: 'text',
    now: 'bigint',
    by: 'text',
    actor: 'text',
    retentionMs: 'bigint',
    origin: 'text',
  },
  returns: 'integer',
  body: `
DECLARE
  v_live uuid[];
BEGIN
  IF p_session_ids = '{}' THEN RETURN 0; END IF;
  v_live := ARRAY(
    SELECT session_id FROM {session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL
    ORDER BY session_id FOR UPDATE);
  PERFORM {write_tombstone}(ending.id, p_reason, p_now, p_by, p_actor, NULL::uuid, NULL::bigint, p_retention_ms, p_origin)
  FROM unnest(p_session_ids) AS ending (id) WHERE ending.id = ANY (v_live);
  RETURN cardinality(v_live);
END
`,
});

/** Deletes all but the newest tombstones of users. */
const trimHistory = new PostgresFunction({
  name: 'trim-history',
  isPart: true,
  params: { loginIds: 'text[]' },
  returns: 'void',
  body: `
BEGIN
  DELETE FROM {session} WHERE session_id IN (
    SELECT old.session_id FROM unnest(p_login_ids) AS login (id) CROSS JOIN LATERAL (
      SELECT session_id FROM {session} WHERE login_id = login.id AND ended_at IS NOT NULL
      ORDER BY ended_at DESC, place DESC OFFSET ${HISTORY_LIMIT}) AS old);
END
`,
});

/** The parts of steps that end sessions. */
export const ENDING_FUNCTIONS = [writeTombstone, expireSessions, expireDue, endLive, trimHistory];
