import type { SchemaNames } from '../../schema-names.js';

/**
 * Reads of sessions that may have ended just now. A change under way may have kept one alive before its end, and not be
 * visible yet; whoever changes it after this lock reads the time after it, and finds it over. So nobody ever sees a
 * session ended and then live. Who may not write cannot lock, and sees what is visible.
 */
export function settledReads(names: SchemaNames): string[] {
  const { session } = names;
  const fn = (name: string) => names.of(name);
  const result = `TABLE (now bigint, stored ${session})`;
  return [
    `CREATE FUNCTION ${fn('settled_session')}(p_session_id uuid) RETURNS ${result} LANGUAGE plpgsql AS $$
BEGIN
  IF ${fn('may_write')}() THEN
    PERFORM FROM ${session} WHERE session_id = p_session_id AND ended_at IS NULL FOR SHARE;
  END IF;
  RETURN QUERY SELECT ${fn('now_ms')}(), s FROM ${session} AS s WHERE s.session_id = p_session_id;
END
$$`,
    `CREATE FUNCTION ${fn('settled_login')}(p_login_id text) RETURNS ${result} LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint;
BEGIN
  IF ${fn('may_write')}() THEN
    PERFORM FROM ${session} WHERE login_id = p_login_id AND ended_at IS NULL ORDER BY session_id FOR SHARE;
  END IF;
  v_now := ${fn('now_ms')}();
  RETURN QUERY SELECT v_now, s FROM ${session} AS s WHERE s.login_id = p_login_id AND s.ended_at IS NULL;
  RETURN QUERY SELECT v_now, s FROM ${session} AS s WHERE s.login_id = p_login_id AND s.ended_at IS NOT NULL;
END
$$`,
  ];
}
