import { type SchemaNames, literal } from '../../schema-names.js';

/**
 * Tells changes that were committed. NOTIFY takes a lock that is one for all databases until its transaction has ended:
 * in the transactions that write, each would wait for the disk alone. Here it is held for no longer than it takes, because
 * nothing waits for the disk. Should the server crash then, what was told may be told again.
 */
export function feedFunctions(names: SchemaNames): string[] {
  const { session, sessionChange } = names;
  const fn = (name: string) => names.of(name);
  return [
    `CREATE FUNCTION ${fn('may_write')}() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
    AND has_table_privilege(${literal(session)}, 'INSERT') AND has_table_privilege(${literal(session)}, 'UPDATE')
    AND has_table_privilege(${literal(session)}, 'DELETE') AND has_table_privilege(${literal(sessionChange)}, 'DELETE')
$$`,
    // Before the time that it returns everything that was committed has been told, if anybody can tell: who may write.
    `CREATE FUNCTION ${fn('flush_changes')}(p_beat boolean) RETURNS TABLE (now bigint, is_told boolean)
LANGUAGE plpgsql AS $$
DECLARE
  v_change text;
BEGIN
  is_told := ${fn('may_write')}();
  IF NOT is_told THEN
    now := ${fn('now_ms')}();
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(${names.feedLock});
  now := ${fn('now_ms')}();
  FOR v_change IN
    WITH told AS (DELETE FROM ${sessionChange} RETURNING number, change) SELECT change FROM told ORDER BY number
  LOOP
    PERFORM pg_notify(${literal(names.channel)}, v_change);
  END LOOP;
  IF p_beat THEN
    PERFORM pg_notify(${literal(names.channel)}, json_build_object('type', 'beat', 'at', now)::text);
  END IF;
  RETURN NEXT;
END
$$`,
  ];
}
