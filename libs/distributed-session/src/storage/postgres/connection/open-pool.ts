import { Client, type ClientConfig, Pool } from 'pg';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { urlOptions } from './url-options.js';

/** What of its deadline a statement may take on the server, so that the server's word arrives before the time is up. */
const STATEMENT_SHARE = 0.9;
/** A lock that is not free by then is told as that. */
const LOCK_SHARE = 0.8;

/**
 * What the promises of this library need of a connection, where the defaults would wait for ever, or let a statement
 * commit after its caller has given up.
 */
function connectionOptions({ url, options, deadlineMs }: ResolvedPostgresOptions): ClientConfig {
  return {
    application_name: 'nestjs-distributed-session',
    connectionTimeoutMillis: deadlineMs,
    statement_timeout: Math.ceil(deadlineMs * STATEMENT_SHARE),
    lock_timeout: Math.ceil(deadlineMs * LOCK_SHARE),
    idle_in_transaction_session_timeout: deadlineMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(url !== undefined && urlOptions(url)),
    ...given(options),
  };
}

/** An option that is `undefined` says nothing: it does not hide what the url says. */
function given(options: object = {}): ClientConfig {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The pool that the options describe, connected to nothing yet; or the user's own. */
export function openPool(options: ResolvedPostgresOptions): PostgresPool {
  if (options.pool) return options.pool;
  return new Pool({ max: 10, idleTimeoutMillis: 30_000, ...connectionOptions(options) });
}

/** A connection for the change feed alone; of the user's own pool it is one that the pool goes without. */
export async function openFeedClient(options: ResolvedPostgresOptions): Promise<PostgresClient> {
  if (options.pool) return options.pool.connect();
  const settings = connectionOptions(options);
  const client = new Client({ ...settings, application_name: `${settings.application_name} (change feed)` });
  const release = () => {
    // One that is not connected, or not answered, is not waited for.
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

/** What about a pool of the user's own is dangerous here: one sentence each. */
export function dangersOf({ options }: PostgresPool): string[] {
  // A pool without settings leads to no server.
  if (!options) return [];
  const settings = options as Partial<Record<string, unknown>>;
  const dangers: string[] = [];
  const isSet = (name: string) => Number(settings[name]) > 0;
  if (!isSet('connectionTimeoutMillis')) {
    dangers.push(
      'connectionTimeoutMillis is not set: other code waits for ever when the pool is full. Set it to 1000.',
    );
  }
  if (!isSet('statement_timeout')) {
    dangers.push('statement_timeout is not set: a statement may commit after its caller has given up. Set it to 900.');
  }
  if (!isSet('lock_timeout')) {
    dangers.push('lock_timeout is not set: a lock that somebody keeps is not told as that. Set it to 800.');
  }
  if (!isSet('idle_in_transaction_session_timeout')) {
    dangers.push('idle_in_transaction_session_timeout is not set: a transaction may keep its locks. Set it to 1000.');
  }
  if (settings['keepAlive'] !== true) {
    dangers.push('keepAlive is not set: a connection that is gone is noticed late. Set it to true.');
  }
  return dangers;
}
