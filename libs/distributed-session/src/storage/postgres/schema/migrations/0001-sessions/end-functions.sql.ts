import type { SchemaNames } from '../../schema-names.js';

/** Steps that end sessions. They hold the lock of the login, so that its history and its counts are right. */
export function endFunctions(names: SchemaNames): string[] {
  const { session } = names;
  const fn = (name: string) => names.of(name);
  return [
    // Ends sessions of a login that is locked, in this order, unless they have ended meanwhile. Returns how many.
    `CREATE FUNCTION ${fn('end_live')}(
  p_session_ids uuid[], p_reason text, p_now bigint, p_by text, p_actor text, p_retention bigint, p_origin text
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_live uuid[];
BEGIN
  IF p_session_ids = '{}' THEN RETURN 0; END IF;
  v_live := ARRAY(
    SELECT session_id FROM ${session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL
    ORDER BY session_id FOR UPDATE);
  PERFORM ${fn('bury')}(ending.id, p_reason, p_now, p_by, p_actor, NULL, NULL, p_retention, p_origin)
  FROM unnest(p_session_ids) AS ending (id) WHERE ending.id = ANY (v_live);
  RETURN cardinality(v_live);
END
$$`,
    `CREATE FUNCTION ${fn('end_session')}(
  p_session_id uuid, p_reason text, p_by text, p_actor text, p_retention bigint, p_origin text
) RETURNS TABLE (outcome text, now bigint, stored ${session}) LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
  v_session ${session};
  v_refusal text;
BEGIN
  PERFORM pg_advisory_xact_lock(${fn('login_lock')}(login_id)) FROM ${session} WHERE session_id = p_session_id;
  SELECT * INTO v_session FROM ${session} WHERE session_id = p_session_id FOR UPDATE;
  v_now := ${fn('now_ms')}();
  v_refusal := ${fn('refusal')}(v_session.ended_at, v_session.expires_at, v_session.sweep_at, v_now);
  IF v_refusal = 'missing' OR v_session.ended_at IS NOT NULL THEN
    RETURN QUERY SELECT CASE v_refusal WHEN 'missing' THEN v_refusal ELSE 'already-ended' END, v_now, v_session;
    RETURN;
  END IF;
  IF v_refusal IS NULL THEN
    v_session := ${fn('bury')}(p_session_id, p_reason, v_now, p_by, p_actor, NULL, NULL, p_retention, p_origin);
  ELSE
    PERFORM ${fn('expire')}(ARRAY[p_session_id], p_retention, p_origin);
  END IF;
  PERFORM ${fn('trim_history')}(ARRAY[v_session.login_id]);
  PERFORM ${fn('count_login')}(v_session.login_id, -1, true);
  RETURN QUERY SELECT CASE WHEN v_refusal IS NULL THEN 'ended' ELSE 'already-ended' END, v_now, v_session;
END
$$`,
    `CREATE FUNCTION ${fn('end_login_sessions')}(
  p_login_id text, p_except_id uuid, p_device text, p_reason text, p_by text, p_actor text, p_retention bigint,
  p_origin text
) RETURNS TABLE (outcome text, now bigint, stored ${session}) LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
  v_was_online boolean;
  v_claimed integer;
  v_ended ${session}[];
BEGIN
  PERFORM pg_advisory_xact_lock(${fn('login_lock')}(p_login_id));
  v_was_online := ${fn('is_online')}(p_login_id);
  IF NOT v_was_online THEN RETURN; END IF;
  -- Waits for all changes under way: none of them may keep alive what this step was to end.
  PERFORM FROM ${session} WHERE login_id = p_login_id AND ended_at IS NULL ORDER BY session_id FOR UPDATE;
  v_now := ${fn('now_ms')}();
  v_claimed := ${fn('claim_due')}(p_login_id, v_now, p_retention, p_origin);
  v_ended := ARRAY(
    SELECT ${fn('bury')}(live.id, p_reason, v_now, p_by, p_actor, NULL, NULL, p_retention, p_origin)
    FROM (
      SELECT session_id FROM ${session} WHERE login_id = p_login_id AND ended_at IS NULL
        AND session_id IS DISTINCT FROM p_except_id AND (p_device IS NULL OR device = p_device)
      ORDER BY place
    ) AS live (id));
  PERFORM ${fn('trim_history')}(ARRAY[p_login_id]);
  PERFORM ${fn('count_login')}(p_login_id, -v_claimed - cardinality(v_ended), v_was_online);
  RETURN QUERY SELECT 'ended', v_now, s FROM unnest(v_ended) AS s;
END
$$`,
    // Claims due sessions of logins that nobody is changing now. Says how many it claimed, and how many it looked at.
    `CREATE FUNCTION ${fn('sweep_sessions')}(p_limit integer, p_retention bigint, p_origin text)
RETURNS TABLE (claimed integer, seen integer) LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint := ${fn('now_ms')}();
  v_candidate record;
  v_ids uuid[] := '{}';
  v_due uuid[];
  v_logins text[];
  v_counts record;
BEGIN
  FOR v_candidate IN
    SELECT session_id, login_id FROM ${session} WHERE ended_at IS NULL AND sweep_at <= v_now ORDER BY sweep_at
  LOOP
    EXIT WHEN cardinality(v_ids) >= p_limit;
    IF pg_try_advisory_xact_lock(${fn('login_lock')}(v_candidate.login_id)) THEN
      v_ids := v_ids || v_candidate.session_id;
    END IF;
  END LOOP;
  v_ids := ARRAY(
    SELECT session_id FROM ${session} WHERE session_id = ANY (v_ids) AND ended_at IS NULL
    ORDER BY session_id FOR UPDATE SKIP LOCKED);
  v_now := ${fn('now_ms')}();
  UPDATE ${session} SET sweep_at = expires_at WHERE session_id = ANY (v_ids) AND expires_at > v_now;
  SELECT coalesce(array_agg(session_id), '{}'), coalesce(array_agg(login_id), '{}') INTO v_due, v_logins
  FROM ${session} WHERE session_id = ANY (v_ids) AND expires_at <= v_now;
  claimed := ${fn('expire')}(v_due, p_retention, p_origin);
  seen := cardinality(v_ids);
  PERFORM ${fn('trim_history')}(ARRAY(SELECT DISTINCT unnest(v_logins)));
  -- In the order of the rows, as everybody locks them.
  FOR v_counts IN
    SELECT ${fn('count_shard')}(login_id) AS shard, sum(due) AS sessions, count(*) FILTER (WHERE NOT is_online) AS logins
    FROM (
      SELECT login_id, count(*) AS due, ${fn('is_online')}(login_id) AS is_online
      FROM unnest(v_logins) AS swept (login_id) GROUP BY login_id
    ) AS login
    GROUP BY 1 ORDER BY 1
  LOOP
    UPDATE ${names.sessionCount} SET sessions = sessions - v_counts.sessions, logins = logins - v_counts.logins
    WHERE shard = v_counts.shard;
  END LOOP;
  RETURN NEXT;
END
$$`,
    // Drops tombstones that are past their retention. Says how many.
    `CREATE FUNCTION ${fn('purge_tombstones')}(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint := ${fn('now_ms')}();
  v_count integer;
BEGIN
  DELETE FROM ${session} WHERE session_id IN (
    SELECT session_id FROM ${session} WHERE ended_at IS NOT NULL AND sweep_at <= v_now
    ORDER BY sweep_at LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$`,
    // Brings the counts back in line with the rows, after these were changed by hand, or restored in part.
    `CREATE FUNCTION ${fn('recount_sessions')}() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE ${session} IN SHARE MODE;
  UPDATE ${names.sessionCount} SET sessions = 0, logins = 0;
  UPDATE ${names.sessionCount} AS counted SET sessions = found.sessions, logins = found.logins
  FROM (
    SELECT ${fn('count_shard')}(login_id) AS shard, count(*) AS sessions, count(DISTINCT login_id) AS logins
    FROM ${session} WHERE ended_at IS NULL GROUP BY 1
  ) AS found
  WHERE counted.shard = found.shard;
END
$$`,
  ];
}
