import { Client, type ClientConfig, Pool, type PoolConfig } from 'pg';
import { OptionsError } from '../../../errors/options.error.js';
import { ConnectionOptions, type PostgresConnectionOptions } from '../postgres-connection.options.js';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import { reasonOf } from './postgres-failure.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';

/** The share of its deadline that a statement may take on the server, so that the server's error arrives in time. */
const STATEMENT_SHARE = 0.9;
/** Shorter, so that the error names the lock. */
const LOCK_SHARE = 0.8;

/** The parameters of a url that `pg` reads. */
const URL_PARAMETERS = [
  'application_name',
  'options',
  'client_encoding',
  'sslnegotiation',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
];

/** Opens the pool that the options describe, without a connection yet; or returns the user's own. */
export function openPool(options: ResolvedPostgresOptions): PostgresPool {
  if (options.pool) return options.pool;
  return new Pool(connectionOptions(options));
}

/** Opens the change feed's own connection. It is taken from the user's pool, if there is one. */
export async function openFeedClient(options: ResolvedPostgresOptions): Promise<PostgresClient> {
  if (options.pool) return options.pool.connect();
  const settings = connectionOptions(options);
  const client = new Client({ ...settings, application_name: `${settings.application_name} (change feed)` });
  const release = () => {
    // Does not wait for a connection that is not open, or does not answer.
    client.end().catch(() => {});
  };
  client.on('error', () => {});
  try {
    await client.connect();
    return Object.assign(client, { release });
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The settings that the guarantees require, where `pg`'s defaults would wait forever, or let a statement commit after its
 * caller has given up. The url overrides them, and `options` overrides the url.
 */
function connectionOptions({ url, options = {}, deadlineMs }: ResolvedPostgresOptions): PoolConfig {
  return {
    ...present(new ConnectionOptions()),
    connectionTimeoutMillis: deadlineMs,
    statement_timeout: Math.ceil(deadlineMs * STATEMENT_SHARE),
    lock_timeout: Math.ceil(deadlineMs * LOCK_SHARE),
    idle_in_transaction_session_timeout: deadlineMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(url !== undefined && urlOptions(url)),
    ...present(options),
  };
}

function present(options: PostgresConnectionOptions): PostgresConnectionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The settings in a url one by one, so that `options` can override them: `pg` lets the url override all others. */
function urlOptions(url: string): ClientConfig {
  const { pathname, searchParams } = new URL(url);
  const { host, port, user, password, database, ssl } = readByPg(url);
  return {
    ...Object.fromEntries([...searchParams].filter(([name]) => URL_PARAMETERS.includes(name))),
    host,
    port,
    user,
    password: password ?? undefined,
    // Without a path it is the user's name, and `options` may set another user.
    ...(pathname.length > 1 && { database }),
    ssl,
  };
}

/** A client that is not connected. */
function readByPg(url: string): Client {
  try {
    return new Client({ connectionString: url });
  } catch (error) {
    // The original message may repeat the url, which contains a password.
    throw new OptionsError('Invalid options for PostgresSessionStorage:', [
      `url is invalid${reasonOf(error)}: check its parameters, and the files that they name`,
    ]);
  }
}

/** The settings of a user's own pool that the guarantees require, and a warning for each one that is missing. */
const REQUIRED_SETTINGS: Readonly<Record<string, string>> = {
  connectionTimeoutMillis: 'other code waits forever when the pool is full. Set it to 1000.',
  statement_timeout: 'a statement may commit after its caller has given up. Set it to 900.',
  lock_timeout: 'a timeout does not show that a lock was the cause. Set it to 800.',
  idle_in_transaction_session_timeout: 'an abandoned transaction may keep its locks. Set it to 1000.',
  keepAlive: 'a lost connection is noticed late. Set it to true.',
};

/** A warning for each unsafe setting of a user's own pool. A pool without settings connects to no server. */
export function poolWarnings({ options }: PostgresPool): string[] {
  if (!options) return [];
  const settings = options as Partial<Record<string, unknown>>;
  return Object.entries(REQUIRED_SETTINGS)
    .filter(([name]) => (name === 'keepAlive' ? settings[name] !== true : !(Number(settings[name]) > 0)))
    .map(([name, warning]) => `${name} is not set: ${warning}`);
}
