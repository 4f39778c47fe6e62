import { LOGIN_LOCKS } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/** The number of rows that share the counting of live sessions, so that simultaneous logins rarely wait for each other. */
export const COUNT_SHARDS = 64;

/** Returns the server's time in epoch milliseconds. It advances within a transaction: steps read it after their locks. */
const nowMs = new PostgresFunction({
  name: 'now-ms',
  params: {},
  returns: 'bigint',
  language: 'sql',
  body: 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
});

/**
 * Returns the row of `session_lock` that is a user's lock. Steps that create or end sessions hold it to the end of their
 * transaction, so they run one after the other for each user. A few users share each row.
 */
const loginLock = new PostgresFunction({
  name: 'login-lock',
  params: { loginId: 'text' },
  returns: 'bigint',
  language: 'sql',
  volatility: 'IMMUTABLE',
  body: `hashtextextended(p_login_id, 0) & ${LOGIN_LOCKS - 1}`,
});

/** Returns whether a user has live sessions. */
const isOnline = new PostgresFunction({
  name: 'is-online',
  isPart: true,
  params: { loginId: 'text' },
  returns: 'boolean',
  body: `
BEGIN
  RETURN EXISTS (SELECT FROM {session} WHERE login_id = p_login_id AND ended_at IS NULL);
END
`,
});

/** Returns the row of the counts that a user belongs to. */
const countShard = new PostgresFunction({
  name: 'count-shard',
  params: { loginId: 'text' },
  returns: 'smallint',
  language: 'sql',
  volatility: 'IMMUTABLE',
  body: `(hashtextextended(p_login_id, 0) & ${COUNT_SHARDS - 1})::smallint`,
});

/** Counts a step's change to a user whose lock is held. The last part of a step: many users share the row. */
const countLogin = new PostgresFunction({
  name: 'count-login',
  isPart: true,
  params: { loginId: 'text', change: 'integer', wasOnline: 'boolean' },
  returns: 'void',
  body: `
DECLARE
  v_logins integer := {is_online}(p_login_id)::integer - p_was_online::integer;
BEGIN
  IF p_change = 0 AND v_logins = 0 THEN RETURN; END IF;
  UPDATE {session_count} SET sessions = sessions + p_change, logins = logins + v_logins
  WHERE shard = {count_shard}(p_login_id);
END
`,
});

/** Recalculates the counts from the rows, for an operator who has edited rows or restored a part of them. */
const recountSessions = new PostgresFunction({
  name: 'recount-sessions',
  params: {},
  returns: 'void',
  body: `
BEGIN
  LOCK TABLE {session} IN SHARE MODE;
  UPDATE {session_count} SET sessions = 0, logins = 0;
  UPDATE {session_count} AS counted SET sessions = found.sessions, logins = found.logins
  FROM (
    SELECT {count_shard}(login_id) AS shard, count(*) AS sessions, count(DISTINCT login_id) AS logins
    FROM {session} WHERE ended_at IS NULL GROUP BY 1
  ) AS found
  WHERE counted.shard = found.shard;
END
`,
});

/**
 * Returns those of these sessions that are live, the least recently used first, and of those with the same last access
 * the oldest. Locks their rows first, in the order of their ids as every step does, so that no access is recorded
 * between the decision and what follows from it.
 */
const idlestFirst = new PostgresFunction({
  name: 'idlest-first',
  isPart: true,
  params: { sessionIds: 'uuid[]' },
  returns: 'uuid[]',
  body: `
BEGIN
  PERFORM FROM {session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL ORDER BY session_id FOR UPDATE;
  RETURN ARRAY(
    SELECT session_id FROM {session} WHERE session_id = ANY (p_session_ids) AND ended_at IS NULL
    ORDER BY last_accessed_at, place);
END
`,
});

/** The clock, a user's lock, the order of its sessions, and the counts. */
export const LOGIN_FUNCTIONS = [nowMs, loginLock, isOnline, idlestFirst, countShard, countLogin, recountSessions];
