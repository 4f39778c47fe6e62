import { Client, Pool, type PoolConfig } from 'pg';
import { ConnectionOptions, type PostgresConnectionOptions } from '../postgres-connection.options.js';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { givenUrlSettings, urlSettings } from './url-settings.js';

/** Opens the pool that the options describe, without a connection yet; or returns the user's own. */
export function openPool(options: ResolvedPostgresOptions): PostgresPool {
  if (options.pool) return options.pool;
  const pool = new Pool(poolSettings(options));
  pool.on('connect', readAsText);
  return pool;
}

/** Opens a connection outside the pool, with a suffix to its application name. `release()` closes it. */
export async function openClient(settings: PoolConfig, suffix: string): Promise<PostgresClient> {
  const client = new Client({ ...settings, application_name: `${settings.application_name ?? ''}${suffix}` });
  const release = () => {
    // Does not wait for a connection that is not open, or does not answer.
    client.end().catch(() => {});
  };
  client.on('error', () => {});
  readAsText(client);
  try {
    await client.connect();
    return Object.assign(client, { release });
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The settings of the storage's own connections that the guarantees require, where `pg`'s defaults would wait forever. The
 * url overrides them, and `options` overrides the url.
 */
export function poolSettings({ url, options = {}, deadlineMs }: ResolvedPostgresOptions): PoolConfig {
  return {
    ...present(new ConnectionOptions()),
    connectionTimeoutMillis: deadlineMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(url !== undefined && urlSettings(url)),
    ...present(options),
  };
}

/** The settings of the connection to the `feedUrl`: what it omits is as for the other connections. */
export function feedSettings(options: ResolvedPostgresOptions): PoolConfig {
  const { pool, feedUrl, deadlineMs } = options;
  const {
    connectionString,
    statement_timeout: _statement,
    lock_timeout: _lock,
    ...own
  } = (pool?.options ?? {}) as PoolConfig;
  const given = { ...own, ...(connectionString !== undefined && urlSettings(connectionString)) };
  const base = pool ? { ...poolSettings({ deadlineMs } as ResolvedPostgresOptions), ...given } : poolSettings(options);
  return { ...base, ...givenUrlSettings(feedUrl!, 'feedUrl') };
}

function present(options: PostgresConnectionOptions): PostgresConnectionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** An application may have set `defaults.binary` of `pg` for its own use. */
function readAsText(client: object): void {
  (client as { binary?: boolean }).binary = false;
}

/** The settings of a user's own pool that the guarantees require, and a warning for each one that is missing. */
const REQUIRED_SETTINGS: Readonly<Record<string, string>> = {
  connectionTimeoutMillis: 'other code waits forever when the pool is full. Set it to 1000.',
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
