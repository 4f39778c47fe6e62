import { AS_TEXT, type PostgresClient } from './postgres-pool.js';

/** What a check relies on, whatever a role, a database or an application's pool has set. */
const SETTINGS = {
  statement_timeout: '5000',
  lock_timeout: '0',
  // If this process stops during a check, what the check has locked is free again after this time.
  idle_in_transaction_session_timeout: '2000',
  client_min_messages: 'error',
  exit_on_error: 'off',
};
const APPLY = `SELECT pg_catalog.set_config(name, value, true)
FROM pg_catalog.json_each_text($1::pg_catalog.json) AS setting (name, value)
WHERE pg_catalog.current_setting(name, true) IS NOT NULL`;

/** Runs a check at start in a transaction that is rolled back, and leaves no setting behind. */
export async function inCheckTransaction<T>(client: PostgresClient, check: () => Promise<T>): Promise<T> {
  await run(client, 'BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await run(client, APPLY, [JSON.stringify(SETTINGS)]);
    return await check();
  } finally {
    await run(client, 'ROLLBACK');
  }
}

async function run(client: PostgresClient, text: string, values: string[] = []): Promise<void> {
  await client.query({ text, values, rowMode: 'array', types: AS_TEXT });
}
