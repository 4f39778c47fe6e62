import { OptionsError } from '../../../errors/options.error.js';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import { firstRow } from '../schema/schema-state.js';
import { AS_TEXT, type PostgresClient } from './postgres-pool.js';
import { BORROWED, DIRECT, EMBEDDED, SHARED, type StatementStyle } from './statement-style.js';

/** How often two connections are compared: other clients may take the server session in between. */
const ROUNDS = 3;

/**
 * Finds out how statements may be sent through the storage's pool, without leaving anything in a server session.
 *
 * @param openAnother - Opens a second connection to the same address; `undefined` if there can only be one.
 */
export async function detectStyle(
  client: PostgresClient,
  options: ResolvedPostgresOptions,
  openAnother: (() => Promise<PostgresClient>) | undefined,
): Promise<StatementStyle> {
  if (options.pool && !options.pool.options) return EMBEDDED;
  if (options.pool) checkClient(client);
  if (options.pooling === 'transaction') return SHARED;
  const isPooled = !(await isDirect(client));
  if (openAnother ? await sharesSessions(client, openAnother) : isPooled) return SHARED;
  if (isPooled) return BORROWED;
  return !options.pool || (await isSet(client, options.deadlineMs)) ? DIRECT : BORROWED;
}

/** Returns whether a connection leads to the server itself: poolers report a made-up process. */
export async function isDirect(client: PostgresClient): Promise<boolean> {
  return String(client.processID) === (await sessionOf(client));
}

/** Returns whether the connections of an application's own pool have the settings that statements require. */
async function isSet(client: PostgresClient, deadlineMs: number): Promise<boolean> {
  const [json] = await firstRow(client, 'SELECT pg_catalog.json_object_agg(name, setting) FROM pg_catalog.pg_settings');
  const settings = JSON.parse(json ?? '{}') as Readonly<Record<string, string>>;
  const isLimited = ['statement_timeout', 'lock_timeout'].every((name) => {
    const limitMs = Number(settings[name]);
    return limitMs > 0 && limitMs <= deadlineMs;
  });
  const isIsolated = settings['default_transaction_isolation'] === 'read committed';
  return isLimited && isIsolated && settings['client_min_messages'] !== 'error';
}

/**
 * Returns whether transactions of these connections run in the same server sessions: then a pooler shares them. A session
 * that serves only one connection never changes, and never serves another.
 */
export async function sharesSessions(
  client: PostgresClient,
  openAnother: () => Promise<PostgresClient>,
): Promise<boolean> {
  const session = await sessionOf(client);
  const other = await openAnother();
  let isSpent = true;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // While its transaction is open, the pooler gives its session to nobody else.
      await run(other, 'BEGIN');
      const isShared = (await sessionOf(other)) === session || (await sessionOf(client)) !== session;
      await run(other, 'ROLLBACK');
      if (isShared) return true;
    }
    isSpent = false;
    return false;
  } finally {
    other.release(isSpent);
  }
}

async function sessionOf(client: PostgresClient): Promise<string> {
  const [pid] = await firstRow(client, 'SELECT pg_catalog.pg_backend_pid()');
  return pid ?? '';
}

async function run(client: PostgresClient, text: string): Promise<void> {
  await client.query({ text, rowMode: 'array', types: AS_TEXT });
}

/** Settings of an application's own pool that change how statements are sent or read. */
function checkClient(client: PostgresClient): void {
  const { binary, pipeline, connection } = client as PostgresClient & {
    binary?: unknown;
    pipeline?: unknown;
    connection?: { parse?: unknown };
  };
  const errors = [
    ...(binary ? ['pool returns binary results: set its binary, or defaults.binary of pg, to false'] : []),
    ...(pipeline ? ['pool uses pipeline mode: set its pipeline to false'] : []),
    ...(typeof connection?.parse === 'function' ? [] : ['pool must be a Pool of pg: pg-native is not supported']),
  ];
  if (errors.length > 0) throw new OptionsError('Invalid options for PostgresSessionStorage:', errors);
}
