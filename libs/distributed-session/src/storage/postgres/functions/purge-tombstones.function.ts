import { PostgresFunction } from './postgres-function.js';

/**
 * Deletes tombstones that are past their retention, and returns how many.
 *
 * Params: `limit` bounds how many are deleted.
 * Atomicity: skips rows that another purge is deleting.
 */
export const purgeTombstones = new PostgresFunction({
  name: 'purge-tombstones',
  params: { limit: 'integer' },
  returns: 'integer',
  body: `
DECLARE
  v_now bigint := {now_ms}();
  v_count integer;
BEGIN
  DELETE FROM {session} WHERE session_id IN (
    SELECT session_id FROM {session} WHERE ended_at IS NOT NULL AND sweep_at <= v_now
    ORDER BY sweep_at LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
`,
});
