import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import { AS_TEXT, type PostgresClient } from './postgres-pool.js';
import { limitsOf } from './statement-style.js';
import { watchClient } from './watch-client.js';

const TIMEOUTS: readonly string[] = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];

export type SessionSettings = Readonly<Record<string, string>>;

/**
 * The settings of a server session that serves one connection of the storage, whatever a role, a database or a url has set.
 * They are set after connecting: poolers reject unknown start-up parameters. A server without one of them ignores it.
 */
export function sessionSettings({
  url,
  deadlineMs,
}: Pick<ResolvedPostgresOptions, 'url' | 'deadlineMs'>): SessionSettings {
  const { statementMs, lockMs } = limitsOf(deadlineMs);
  return {
    statement_timeout: String(statementMs),
    lock_timeout: String(lockMs),
    idle_in_transaction_session_timeout: String(deadlineMs),
    ...urlTimeouts(url),
    // The pool closes idle connections itself; the feed's connection must stay.
    idle_session_timeout: '0',
    transaction_timeout: '0',
    // A function that has waited for a lock must see what the lock's holder committed.
    default_transaction_isolation: 'read committed',
    // The warning of a commit that no standby confirmed.
    client_min_messages: 'warning',
    exit_on_error: 'off',
    // Compiling a statement takes longer than running it.
    jit: 'off',
  };
}

/** The timeouts of a url, which override those that follow from the deadline. */
function urlTimeouts(url: string | undefined): SessionSettings {
  const given = url === undefined ? [] : [...new URL(url).searchParams];
  return Object.fromEntries(given.filter(([name]) => TIMEOUTS.includes(name)));
}

const APPLY = `SELECT pg_catalog.set_config(name, value, false)
FROM pg_catalog.json_each_text($1::pg_catalog.json) AS setting (name, value)
WHERE pg_catalog.current_setting(name, true) IS NOT NULL`;

/** Sets them: once for each connection. */
export async function applySettings(client: PostgresClient, settings: SessionSettings): Promise<void> {
  await client.query({ text: APPLY, values: [JSON.stringify(settings)], rowMode: 'array', types: AS_TEXT });
  watchClient(client).isSet = true;
}
