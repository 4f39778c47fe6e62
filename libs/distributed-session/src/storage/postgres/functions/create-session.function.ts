import { lockRow } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/**
 * Creates a session under its user's limits: ends the sessions over the limits, or rejects the login.
 *
 * Params: `idleMs`, `absoluteMs`, `tokenDigest`, `device` and `perDevice` may be null; `onLimit` is `end-oldest`, `end-idlest` or
 * `reject`.
 * Returns: `outcome` (`created`, `limit-login`, `limit-device`, `id-taken`), the time, the session without its payload.
 * Atomicity: holds the user's lock, so the limits hold under simultaneous logins.
 */
export const createSession = new PostgresFunction({
  name: 'create-session',
  params: {
    sessionId: 'uuid',
    loginId: 'text',
    by: 'text',
    device: 'text',
    idleMs: 'bigint',
    absoluteMs: 'bigint',
    tokenDigest: 'text',
    payload: 'bytea',
    perLogin: 'integer',
    perDevice: 'integer',
    onLimit: 'text',
    retentionMs: 'bigint',
    origin: 'text',
  },
  returns: { outcome: 'text', now: 'bigint', stored: '{session}' },
  body: `
DECLARE
  v_now bigint;
  v_absolute_end bigint;
  v_end bigint;
  v_was_online boolean;
  v_ended integer;
  v_live uuid[];
  v_on_device uuid[];
  v_replaced uuid[];
  v_limited uuid[];
  v_session {session};
BEGIN
  ${lockRow('{login_lock}(p_login_id)')}
  v_now := {now_ms}();
  v_was_online := {is_online}(p_login_id);
  v_ended := {expire_due}(p_login_id, v_now, p_retention_ms, p_origin);
  v_on_device := ARRAY(
    SELECT session_id FROM {session} WHERE login_id = p_login_id AND ended_at IS NULL AND device = p_device
    ORDER BY place);
  v_live := ARRAY(
    SELECT session_id FROM {session} WHERE login_id = p_login_id AND ended_at IS NULL
    ORDER BY place);
  IF p_on_limit = 'end-idlest' AND (cardinality(v_on_device) >= p_per_device OR cardinality(v_live) >= p_per_login) THEN
    v_live := {idlest_first}(v_live);
    v_on_device := ARRAY(
      SELECT id FROM unnest(v_live) WITH ORDINALITY AS live (id, nth) WHERE id = ANY (v_on_device) ORDER BY nth);
  END IF;
  v_replaced := coalesce(v_on_device[1:cardinality(v_on_device) + 1 - p_per_device], '{}');
  IF v_replaced <> '{}' THEN
    v_live := ARRAY(
      SELECT id FROM unnest(v_live) WITH ORDINALITY AS live (id, nth) WHERE id <> ALL (v_replaced) ORDER BY nth);
  END IF;
  v_limited := v_live[1:cardinality(v_live) + 1 - p_per_login];
  outcome := CASE
    WHEN p_on_limit <> 'reject' THEN 'created'
    WHEN v_replaced <> '{}' THEN 'limit-device'
    WHEN v_limited <> '{}' THEN 'limit-login'
    ELSE 'created'
  END;
  IF outcome = 'created' THEN
    v_absolute_end := v_now + p_absolute_ms;
    v_end := least(v_now + p_idle_ms, v_absolute_end);
    INSERT INTO {session} (
      session_id, login_id, service_id, device, version, created_at, last_accessed_at, idle_timeout_ms,
      absolute_expires_at, expires_at, sweep_at, token_digest, payload)
    VALUES (
      p_session_id, p_login_id, p_by, p_device, 1, v_now, v_now, p_idle_ms, v_absolute_end, v_end, v_end, p_token_digest,
      p_payload)
    ON CONFLICT DO NOTHING RETURNING * INTO v_session;
    IF NOT FOUND THEN outcome := 'id-taken'; END IF;
  END IF;
  IF outcome = 'created' THEN
    v_session.payload := NULL;
    v_ended := v_ended
      + {end_live}(v_replaced, 'replaced'::text, v_now, p_by, NULL::text, p_retention_ms, p_origin)
      + {end_live}(v_limited, 'limit'::text, v_now, p_by, NULL::text, p_retention_ms, p_origin);
    PERFORM {queue_session_change}('session.created'::text, v_session, p_by, v_now, p_origin);
  END IF;
  IF v_ended > 0 THEN PERFORM {trim_history}(ARRAY[p_login_id]); END IF;
  PERFORM {count_login}(p_login_id, (outcome = 'created')::integer - v_ended, v_was_online);
  RETURN QUERY SELECT outcome, v_now, v_session;
END
`,
});
