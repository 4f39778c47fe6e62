import { PostgresFunction } from './postgres-function.js';

/** The number of changes that one call returns at most. */
export const CHANGES_PER_READ = 1_000;

/**
 * Reads published changes from a number on, after publishing those that wait if the user may write.
 *
 * Params: `after` is the last number that was read, or null for the last one that was published; `flush` publishes, and
 * `purge` deletes old changes as well; `beat` sends a notification without content.
 * Returns: the time; whether every change committed before the call was published; with `flush`, the lowest and the
 * highest number of those that wait for it otherwise, or 0; a row for the change at `after`, if it is still there, and
 * for each one after it. Without any change, one row with the number 0.
 */
export const readChanges = new PostgresFunction({
  name: 'read-changes',
  isReadOnly: true,
  params: { after: 'bigint', flush: 'boolean', purge: 'boolean', beat: 'boolean' },
  returns: {
    now: 'bigint',
    isPublished: 'boolean',
    firstWaiting: 'bigint',
    lastWaiting: 'bigint',
    number: 'bigint',
    publishedAt: 'bigint',
    change: 'text',
  },
  body: `
#variable_conflict use_column
DECLARE
  v_last bigint;
BEGIN
  is_published := p_flush AND {may_write}();
  IF is_published THEN PERFORM {flush_changes}(p_purge); END IF;
  IF p_beat THEN PERFORM pg_notify('{channel}', ''); END IF;
  now := {now_ms}();
  first_waiting := 0;
  last_waiting := 0;
  -- First what waits, then what was published: what is published in between is read, not overlooked.
  IF p_flush AND NOT is_published THEN
    SELECT coalesce(min(waiting.number), 0), coalesce(max(waiting.number), 0) INTO first_waiting, last_waiting
    FROM {session_change} AS waiting;
  END IF;
  -- With both ends of the range, the plan uses the index, whatever is known about the table.
  v_last := (SELECT max(number) FROM {session_feed});
  RETURN QUERY SELECT now, is_published, first_waiting, last_waiting, feed.number, feed.published_at, feed.change
  FROM {session_feed} AS feed WHERE feed.number BETWEEN coalesce(p_after, v_last) AND v_last
  ORDER BY feed.number LIMIT ${CHANGES_PER_READ};
  IF NOT FOUND THEN
    number := 0;
    published_at := 0;
    change := '{}';
    RETURN NEXT;
  END IF;
END
`,
});
