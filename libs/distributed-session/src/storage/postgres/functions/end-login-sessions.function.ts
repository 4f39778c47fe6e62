import { lockRow } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/**
 * Ends a user's sessions.
 *
 * Params: `exceptId` is kept, `device` limits the step to one device, and `actor` is recorded; each may be null.
 * Returns: `ended`, the time and the tombstone, one row for each session, the oldest first.
 * Atomicity: holds the user's lock and the rows of all the user's live sessions.
 */
export const endLoginSessions = new PostgresFunction({
  name: 'end-login-sessions',
  params: {
    loginId: 'text',
    exceptId: 'uuid',
    device: 'text',
    reason: 'text',
    by: 'text',
    actor: 'text',
    retentionMs: 'bigint',
    origin: 'text',
  },
  returns: { outcome: 'text', now: 'bigint', stored: '{session}' },
  body: `
DECLARE
  v_now bigint;
  v_was_online boolean;
  v_expired integer;
  v_ended {session}[];
BEGIN
  ${lockRow('{login_lock}(p_login_id)')}
  v_was_online := {is_online}(p_login_id);
  IF NOT v_was_online THEN RETURN; END IF;
  -- Waits for all transactions in flight: none may extend a session that this step is to end.
  PERFORM FROM {session} WHERE login_id = p_login_id AND ended_at IS NULL ORDER BY session_id FOR UPDATE;
  v_now := {now_ms}();
  v_expired := {expire_due}(p_login_id, v_now, p_retention_ms, p_origin);
  v_ended := ARRAY(
    SELECT {write_tombstone}(live.id, p_reason, v_now, p_by, p_actor, NULL::uuid, NULL::bigint, p_retention_ms, p_origin)
    FROM (
      SELECT session_id FROM {session} WHERE login_id = p_login_id AND ended_at IS NULL
        AND session_id IS DISTINCT FROM p_except_id AND (p_device IS NULL OR device = p_device)
      ORDER BY place
    ) AS live (id));
  PERFORM {trim_history}(ARRAY[p_login_id]);
  PERFORM {count_login}(p_login_id, -v_expired - cardinality(v_ended), v_was_online);
  RETURN QUERY SELECT 'ended', v_now, s FROM unnest(v_ended) AS s;
END
`,
});
