import { FEED_LOCK, lockRow } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/** How long a published change can be read, in milliseconds. A process that reads later receives `feed.gap`. */
export const FEED_RETENTION_MS = 60_000;
/** The number of old changes that one flush deletes at most: few, so that the next flush does not wait long. */
const PURGE_BATCH = 2_000;
/** A flush purges whenever the numbers pass a multiple of this, so that the purge keeps up with any rate of changes. */
const PURGE_EVERY = PURGE_BATCH / 2;

/**
 * Publishes the changes that were committed and not published yet: numbers them, and wakes the listeners up.
 *
 * Params: `purge` deletes old changes as well.
 * Atomicity: one flush at a time. NOTIFY holds a lock of the whole server until its transaction ends, so it is kept out of
 * the transactions that write. A flush does not wait for the disk; if the server crashes then, a change may be published
 * twice. The newest of the old changes stays: a process that has read up to it reads on from there. A clock that was set
 * makes changes old at once, and processes that have not read them receive `feed.gap`.
 */
export const flushChanges = new PostgresFunction({
  name: 'flush-changes',
  isPart: true,
  params: { purge: 'boolean' },
  returns: 'void',
  body: `
DECLARE
  v_now bigint;
  v_last bigint;
  v_count bigint;
BEGIN
  v_now := {now_ms}();
  -- An idle feed costs no write: to lock a row is one. What another flush publishes meanwhile is still among the changes.
  IF NOT EXISTS (SELECT FROM {session_change}) AND NOT (p_purge AND EXISTS (
    SELECT FROM (SELECT published_at FROM {session_feed} ORDER BY number OFFSET 1 LIMIT 1) AS second
    WHERE abs(v_now - second.published_at) > ${FEED_RETENTION_MS})) THEN
    RETURN;
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  ${lockRow(FEED_LOCK)}
  v_now := {now_ms}();
  v_last := coalesce((SELECT max(number) FROM {session_feed}), 0);
  WITH committed AS (DELETE FROM {session_change} RETURNING number, change)
  INSERT INTO {session_feed} (number, published_at, change)
  SELECT v_last + row_number() OVER (ORDER BY number), v_now, change FROM committed;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count > 0 THEN PERFORM pg_notify('{channel}', (v_last + v_count)::text); END IF;
  IF p_purge OR v_last / ${PURGE_EVERY} <> (v_last + v_count) / ${PURGE_EVERY} THEN
    DELETE FROM {session_feed} WHERE number < (
      SELECT max(oldest.number)
      FROM (SELECT number, published_at FROM {session_feed} ORDER BY number LIMIT ${PURGE_BATCH}) AS oldest
      WHERE abs(v_now - oldest.published_at) > ${FEED_RETENTION_MS});
  END IF;
END
`,
});
