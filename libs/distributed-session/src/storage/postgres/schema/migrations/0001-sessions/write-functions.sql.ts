import type { SchemaNames } from '../../schema-names.js';

/** Steps that change a session: they lock, then read the time, then judge. Each is one transaction of its own. */
export function writeFunctions(names: SchemaNames): string[] {
  const { session } = names;
  const fn = (name: string) => names.of(name);
  const result = `TABLE (outcome text, now bigint, stored ${session})`;
  return [
    // Why a session cannot be written to, or null: it is live.
    `CREATE FUNCTION ${fn('refusal')}(p_ended_at bigint, p_expires_at bigint, p_sweep_at bigint, p_now bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_expires_at IS NULL OR (p_ended_at IS NOT NULL AND p_sweep_at <= p_now) THEN 'missing'
    WHEN p_ended_at IS NOT NULL OR p_expires_at <= p_now THEN 'ended'
  END
$$`,
    `CREATE FUNCTION ${fn('create_session')}(
  p_session_id uuid, p_login_id text, p_by text, p_device text, p_idle_ms bigint, p_absolute_ms bigint, p_payload bytea,
  p_per_login integer, p_per_device integer, p_on_limit text, p_retention bigint, p_origin text
) RETURNS ${result} LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
  v_absolute_end bigint;
  v_end bigint;
  v_was_online boolean;
  v_ended integer;
  v_rest uuid[];
  v_replaced uuid[];
  v_limited uuid[];
  v_session ${session};
BEGIN
  PERFORM pg_advisory_xact_lock(${fn('login_lock')}(p_login_id));
  v_now := ${fn('now_ms')}();
  v_was_online := ${fn('is_online')}(p_login_id);
  v_ended := ${fn('claim_due')}(p_login_id, v_now, p_retention, p_origin);
  v_replaced := ARRAY(
    SELECT session_id FROM ${session} WHERE login_id = p_login_id AND ended_at IS NULL AND device = p_device
    ORDER BY place);
  v_replaced := coalesce(v_replaced[1:cardinality(v_replaced) + 1 - p_per_device], '{}');
  v_rest := ARRAY(
    SELECT session_id FROM ${session} WHERE login_id = p_login_id AND ended_at IS NULL AND session_id <> ALL (v_replaced)
    ORDER BY place);
  v_limited := v_rest[1:cardinality(v_rest) + 1 - p_per_login];
  outcome := CASE
    WHEN p_on_limit <> 'reject' THEN 'created'
    WHEN v_replaced <> '{}' THEN 'limit-device'
    WHEN v_limited <> '{}' THEN 'limit-login'
    ELSE 'created'
  END;
  IF outcome = 'created' THEN
    v_absolute_end := v_now + p_absolute_ms;
    v_end := least(v_now + p_idle_ms, v_absolute_end);
    INSERT INTO ${session} (
      session_id, login_id, service_id, device, version, created_at, last_accessed_at, idle_timeout_ms,
      absolute_expires_at, expires_at, sweep_at, payload)
    VALUES (
      p_session_id, p_login_id, p_by, p_device, 1, v_now, v_now, p_idle_ms, v_absolute_end, v_end, v_end, p_payload)
    ON CONFLICT DO NOTHING RETURNING * INTO v_session;
    IF NOT FOUND THEN outcome := 'id-taken'; END IF;
  END IF;
  IF outcome = 'created' THEN
    v_session.payload := NULL;
    v_ended := v_ended
      + ${fn('end_live')}(v_replaced, 'replaced', v_now, p_by, NULL, p_retention, p_origin)
      + ${fn('end_live')}(v_limited, 'limit', v_now, p_by, NULL, p_retention, p_origin);
    PERFORM ${fn('announce_session')}('session.created', v_session, p_by, v_now, p_origin);
  END IF;
  IF v_ended > 0 THEN PERFORM ${fn('trim_history')}(ARRAY[p_login_id]); END IF;
  PERFORM ${fn('count_login')}(p_login_id, (outcome = 'created')::integer - v_ended, v_was_online);
  RETURN QUERY SELECT outcome, v_now, v_session;
END
$$`,
    `CREATE FUNCTION ${fn('replace_session')}(
  p_session_id uuid, p_expected_version integer, p_payload bytea, p_touch boolean, p_by text, p_origin text
) RETURNS ${result} LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
  v_session ${session};
  v_refusal text;
BEGIN
  SELECT * INTO v_session FROM ${session} WHERE session_id = p_session_id FOR UPDATE;
  v_now := ${fn('now_ms')}();
  v_refusal := coalesce(
    ${fn('refusal')}(v_session.ended_at, v_session.expires_at, v_session.sweep_at, v_now),
    CASE WHEN v_session.version <> p_expected_version THEN 'conflict' END);
  IF v_refusal IS NOT NULL THEN
    RETURN QUERY SELECT v_refusal, v_now, v_session;
    RETURN;
  END IF;
  IF p_touch THEN
    v_session.last_accessed_at := greatest(v_session.last_accessed_at, v_now);
    v_session.expires_at :=
      least(v_session.last_accessed_at + v_session.idle_timeout_ms, v_session.absolute_expires_at);
  END IF;
  UPDATE ${session} SET
    version = version + 1, payload = p_payload,
    last_accessed_at = v_session.last_accessed_at, expires_at = v_session.expires_at
  WHERE session_id = p_session_id RETURNING * INTO v_session;
  v_session.payload := NULL;
  PERFORM ${fn('announce_session')}('session.updated', v_session, p_by, v_now, p_origin);
  RETURN QUERY SELECT 'replaced', v_now, v_session;
END
$$`,
    // Rows that others hold are left for a second call, which waits: each session is a step of its own.
    `CREATE FUNCTION ${fn('touch_sessions')}(p_session_ids uuid[], p_wait boolean)
RETURNS TABLE (session_id uuid, last_accessed_at bigint, expires_at bigint, is_held boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now bigint;
  v_free uuid[];
BEGIN
  IF p_wait THEN
    v_free := ARRAY(
      SELECT session_id FROM ${session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL
      ORDER BY session_id FOR UPDATE);
  ELSE
    v_free := ARRAY(
      SELECT session_id FROM ${session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL
      ORDER BY session_id FOR UPDATE SKIP LOCKED);
  END IF;
  v_now := ${fn('now_ms')}();
  RETURN QUERY UPDATE ${session} SET
    last_accessed_at = greatest(last_accessed_at, v_now),
    expires_at = least(greatest(last_accessed_at, v_now) + idle_timeout_ms, absolute_expires_at)
  WHERE session_id = ANY (v_free) AND ended_at IS NULL AND expires_at > v_now
  RETURNING session_id, last_accessed_at, expires_at, false;
  RETURN QUERY SELECT session_id, last_accessed_at, expires_at, true FROM ${session}
  WHERE session_id = ANY (p_session_ids) AND session_id <> ALL (v_free) AND ended_at IS NULL;
END
$$`,
    `CREATE FUNCTION ${fn('rotate_session')}(
  p_session_id uuid, p_expected_version integer, p_successor_id uuid, p_payload bytea, p_grace bigint, p_by text,
  p_retention bigint, p_origin text
) RETURNS ${result} LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
  v_session ${session};
  v_refusal text;
BEGIN
  PERFORM pg_advisory_xact_lock(${fn('login_lock')}(login_id)) FROM ${session} WHERE session_id = p_session_id;
  SELECT * INTO v_session FROM ${session} WHERE session_id = p_session_id FOR UPDATE;
  v_now := ${fn('now_ms')}();
  v_refusal := coalesce(
    ${fn('refusal')}(v_session.ended_at, v_session.expires_at, v_session.sweep_at, v_now),
    CASE WHEN v_session.version <> p_expected_version THEN 'conflict' END);
  IF v_refusal IS NULL THEN
    INSERT INTO ${session} (
      session_id, login_id, service_id, device, version, place, created_at, last_accessed_at, idle_timeout_ms,
      absolute_expires_at, expires_at, sweep_at, payload)
    SELECT
      p_successor_id, v_session.login_id, v_session.service_id, v_session.device, 1, v_session.place,
      v_session.created_at, greatest(v_session.last_accessed_at, v_now), v_session.idle_timeout_ms,
      v_session.absolute_expires_at, ending.at, ending.at, p_payload
    FROM (SELECT least(
      greatest(v_session.last_accessed_at, v_now) + v_session.idle_timeout_ms, v_session.absolute_expires_at)) AS ending (at)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN v_refusal := 'id-taken'; END IF;
  END IF;
  IF v_refusal IS NOT NULL THEN
    RETURN QUERY SELECT v_refusal, v_now, v_session;
    RETURN;
  END IF;
  PERFORM ${fn('bury')}(
    p_session_id, 'rotated', v_now, p_by, NULL, p_successor_id, v_now + p_grace, p_retention, p_origin);
  PERFORM ${fn('trim_history')}(ARRAY[v_session.login_id]);
  RETURN QUERY SELECT 'rotated', v_now, s FROM ${session} AS s WHERE s.session_id = p_successor_id;
END
$$`,
  ];
}
