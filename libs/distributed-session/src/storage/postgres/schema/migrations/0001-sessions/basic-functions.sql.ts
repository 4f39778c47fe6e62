import { HISTORY_LIMIT } from '../../../../session-storage.js';
import { type SchemaNames, literal } from '../../schema-names.js';
import { COUNT_SHARDS } from './session-table.sql.js';

/** PostgreSQL takes notifications of less than 8,000 bytes. */
const MAX_NOTIFICATION_BYTES = 7_900;

/** What the functions for sessions are made of: the time, the lock of a login, announcements, endings, counts. */
export function basicFunctions(names: SchemaNames): string[] {
  const { session, sessionCount } = names;
  const fn = (name: string) => names.of(name);
  return [
    // The server's time in epoch milliseconds. It moves within a transaction: it is read after locks were waited for.
    `CREATE FUNCTION ${fn('now_ms')}() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$`,
    // Steps that create or end sessions of one login come one after the other, each to the end of its transaction.
    `CREATE FUNCTION ${fn('login_lock')}(p_login_id text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT hashtextextended(p_login_id, ${names.lockSeed})
$$`,
    // Written with what has changed, told by whoever flushes next. What is too long to be told is told as a gap.
    `CREATE FUNCTION ${fn('announce')}(p_change json) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_text text := json_strip_nulls(p_change)::text;
BEGIN
  IF octet_length(v_text) > ${MAX_NOTIFICATION_BYTES} THEN
    v_text := json_build_object('type', 'feed.gap', 'at', ${fn('now_ms')}())::text;
  END IF;
  INSERT INTO ${names.sessionChange} (change) VALUES (v_text);
END
$$`,
    `CREATE FUNCTION ${fn('announce_session')}(
  p_type text, p_session ${session}, p_by text, p_at bigint, p_origin text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ${fn('announce')}(json_build_object(
    'type', p_type, 'sessionId', p_session.session_id, 'loginId', p_session.login_id,
    'serviceId', p_session.service_id, 'device', p_session.device, 'version', p_session.version,
    'by', p_by, 'at', p_at, 'rotatedTo', p_session.rotated_to,
    'reason', CASE WHEN p_type = 'session.ended' THEN p_session.reason END, 'actor', p_session.actor,
    'origin', p_origin));
END
$$`,
    // Turns a live session, whose row is locked, into its tombstone.
    `CREATE FUNCTION ${fn('bury')}(
  p_session_id uuid, p_reason text, p_at bigint, p_by text, p_actor text, p_rotated_to uuid, p_grace_ends_at bigint,
  p_retention bigint, p_origin text
) RETURNS ${session} LANGUAGE plpgsql AS $$
DECLARE
  v_ended ${session};
BEGIN
  UPDATE ${session} SET
    ended_at = p_at, reason = p_reason, ended_by = p_by, actor = p_actor, rotated_to = p_rotated_to,
    grace_ends_at = p_grace_ends_at, payload = NULL, sweep_at = p_at + p_retention, place = nextval(${literal(fn('session_place'))})
  WHERE session_id = p_session_id RETURNING * INTO v_ended;
  PERFORM ${fn('announce_session')}(
    CASE WHEN p_reason = 'rotated' THEN 'session.rotated' ELSE 'session.ended' END, v_ended, p_by, p_at, p_origin);
  RETURN v_ended;
END
$$`,
    // Turns sessions that time has ended, whose rows are locked, into their tombstones. Returns how many.
    `CREATE FUNCTION ${fn('expire')}(p_session_ids uuid[], p_retention bigint, p_origin text)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_ended ${session};
  v_count integer := 0;
BEGIN
  FOR v_ended IN
    UPDATE ${session} SET
      ended_at = expires_at, ended_by = '@expiry',
      reason = CASE WHEN expires_at >= absolute_expires_at THEN 'absolute-timeout' ELSE 'idle-timeout' END,
      payload = NULL, sweep_at = expires_at + p_retention, place = nextval(${literal(fn('session_place'))})
    WHERE session_id = ANY(p_session_ids) RETURNING *
  LOOP
    v_count := v_count + 1;
    PERFORM ${fn('announce_session')}('session.ended', v_ended, '@expiry', v_ended.ended_at, p_origin);
  END LOOP;
  RETURN v_count;
END
$$`,
    // Claims what is due of a login that is locked. Waits for changes under way, which may have kept some alive.
    `CREATE FUNCTION ${fn('claim_due')}(p_login_id text, p_now bigint, p_retention bigint, p_origin text)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_due uuid[];
BEGIN
  v_due := ARRAY(
    SELECT session_id FROM ${session} WHERE login_id = p_login_id AND ended_at IS NULL AND expires_at <= p_now
    ORDER BY session_id FOR UPDATE);
  IF v_due = '{}' THEN RETURN 0; END IF;
  RETURN ${fn('expire')}(v_due, p_retention, p_origin);
END
$$`,
    // Keeps the newest tombstones of logins, and no more.
    `CREATE FUNCTION ${fn('trim_history')}(p_login_ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM ${session} WHERE session_id IN (
    SELECT old.session_id FROM unnest(p_login_ids) AS login (id) CROSS JOIN LATERAL (
      SELECT session_id FROM ${session} WHERE login_id = login.id AND ended_at IS NOT NULL
      ORDER BY ended_at DESC, place DESC OFFSET ${HISTORY_LIMIT}) AS old);
END
$$`,
    `CREATE FUNCTION ${fn('is_online')}(p_login_id text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (SELECT FROM ${session} WHERE login_id = p_login_id AND ended_at IS NULL);
END
$$`,
    // Which row of the counts a login belongs to.
    `CREATE FUNCTION ${fn('count_shard')}(p_login_id text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashtextextended(p_login_id, 0) & ${COUNT_SHARDS - 1})::smallint
$$`,
    // Counts what a step has changed about a login that is locked. The last thing a step does: the row is for many.
    `CREATE FUNCTION ${fn('count_login')}(p_login_id text, p_change integer, p_was_online boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_logins integer := ${fn('is_online')}(p_login_id)::integer - p_was_online::integer;
BEGIN
  IF p_change = 0 AND v_logins = 0 THEN RETURN; END IF;
  UPDATE ${sessionCount} SET sessions = sessions + p_change, logins = logins + v_logins
  WHERE shard = ${fn('count_shard')}(p_login_id);
END
$$`,
  ];
}
