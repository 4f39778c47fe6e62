import { AS_TEXT, type PostgresClient } from './postgres-pool.js';

/** What of the time that is left a statement, and a lock, may take on the server. */
const STATEMENT_SHARE = 0.7;
const LOCK_SHARE = 0.6;

const LIMIT = `SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false)`;
const LIFT = `SELECT set_config(name, reset_val, false) FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout')`;

/**
 * Has the server give up on what a connection runs next before the time of its caller is up. The settings of the
 * connection are for statements that have all of a deadline, not for one that had to wait for its connection.
 */
export async function limitTime(client: PostgresClient, leftMs: number): Promise<void> {
  const values = [STATEMENT_SHARE, LOCK_SHARE].map((share) => String(Math.max(1, Math.floor(leftMs * share))));
  await client.query({ text: LIMIT, values, rowMode: 'array', types: AS_TEXT });
}

/** Gives the connection its own settings back. */
export async function liftLimit(client: PostgresClient): Promise<void> {
  await client.query({ text: LIFT, values: [], rowMode: 'array', types: AS_TEXT });
}
