import { PostgresFunction } from './postgres-function.js';

/**
 * Expires due sessions of users whom no other transaction is changing.
 *
 * Params: `limit` bounds how many sessions are examined.
 * Returns: how many expired, and how many were examined: some were touched since, and are due later.
 * Atomicity: skips locked rows and users, so any number of processes may sweep at once; each session expires once.
 */
export const sweepSessions = new PostgresFunction({
  name: 'sweep-sessions',
  params: { limit: 'integer', retentionMs: 'bigint', origin: 'text' },
  returns: { expired: 'integer', examined: 'integer' },
  body: `
DECLARE
  v_now bigint := {now_ms}();
  v_candidate record;
  v_ids uuid[] := '{}';
  v_due uuid[];
  v_logins text[];
  v_counts record;
BEGIN
  FOR v_candidate IN
    SELECT session_id, login_id FROM {session} WHERE ended_at IS NULL AND sweep_at <= v_now ORDER BY sweep_at
  LOOP
    EXIT WHEN cardinality(v_ids) >= p_limit;
    PERFORM FROM {session_lock} WHERE number = {login_lock}(v_candidate.login_id) FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      v_ids := v_ids || v_candidate.session_id;
    END IF;
  END LOOP;
  v_ids := ARRAY(
    SELECT session_id FROM {session} WHERE session_id = ANY (v_ids) AND ended_at IS NULL
    ORDER BY session_id FOR UPDATE SKIP LOCKED);
  v_now := {now_ms}();
  UPDATE {session} SET sweep_at = expires_at WHERE session_id = ANY (v_ids) AND expires_at > v_now;
  SELECT coalesce(array_agg(session_id), '{}'), coalesce(array_agg(login_id), '{}') INTO v_due, v_logins
  FROM {session} WHERE session_id = ANY (v_ids) AND expires_at <= v_now;
  expired := {expire_sessions}(v_due, p_retention_ms, p_origin);
  examined := cardinality(v_ids);
  PERFORM {trim_history}(ARRAY(SELECT DISTINCT unnest(v_logins)));
  -- In the order of the shards, as all steps lock them.
  FOR v_counts IN
    SELECT {count_shard}(login_id) AS shard, sum(due) AS sessions, count(*) FILTER (WHERE NOT is_online) AS logins
    FROM (
      SELECT login_id, count(*) AS due, {is_online}(login_id) AS is_online
      FROM unnest(v_logins) AS swept (login_id) GROUP BY login_id
    ) AS login
    GROUP BY 1 ORDER BY 1
  LOOP
    UPDATE {session_count} SET sessions = sessions - v_counts.sessions, logins = logins - v_counts.logins
    WHERE shard = v_counts.shard;
  END LOOP;
  RETURN NEXT;
END
`,
});
