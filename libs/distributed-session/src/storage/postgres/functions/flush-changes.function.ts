import { PostgresFunction } from './postgres-function.js';

/**
 * Publishes the changes that were committed and not published yet and, with `beat`, a heartbeat: nothing older than it is
 * still to come.
 *
 * Returns: the time, and whether every change committed before it has been published. A read-only user cannot publish.
 * Atomicity: one flush at a time. NOTIFY holds a lock of the whole server until its transaction ends, so it is kept out of
 * the transactions that write. A flush does not wait for the disk; if the server crashes then, a change may be published
 * twice.
 */
export const flushChanges = new PostgresFunction({
  name: 'flush-changes',
  isReadOnly: true,
  params: { beat: 'boolean' },
  returns: { now: 'bigint', isPublished: 'boolean' },
  body: `
DECLARE
  v_change text;
BEGIN
  is_published := {may_write}();
  IF NOT is_published THEN
    now := {now_ms}();
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock({feed_lock});
  now := {now_ms}();
  FOR v_change IN
    WITH published AS (DELETE FROM {session_change} RETURNING number, change) SELECT change FROM published ORDER BY number
  LOOP
    PERFORM pg_notify('{channel}', v_change);
  END LOOP;
  IF p_beat THEN
    PERFORM pg_notify('{channel}', json_build_object('type', 'beat', 'at', now)::text);
  END IF;
  RETURN NEXT;
END
`,
});
