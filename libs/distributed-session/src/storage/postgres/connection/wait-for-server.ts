import { setTimeout } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { OptionsError } from '../../../errors/options.error.js';
import { StorageUnavailableError } from '../../../errors/storage.errors.js';
import { retryDelay } from '../../shared/retries.js';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { firstRow } from '../schema/schema-state.js';
import { checkPostgresServer, toStartError, unsuitable } from './check-server.js';
import { detectStyle } from './detect-pooler.js';
import { checkFeedUrl } from './open-feed.js';
import { openClient, poolSettings } from './open-pool.js';
import { DeadlineError, inTime, isPoolTimeout } from './postgres-connection.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { productNote } from './postgres-product.js';
import { applySettings, sessionSettings } from './session-settings.js';
import { DIRECT, SHARED, type StatementStyle } from './statement-style.js';
import { verifyServer } from './verify-server.js';

const NO_LOGIN =
  'PostgreSQL accepted no connection in time. Check the address, and that the server is running; a pooler in front of it ' +
  'may have no server connection left.';
const NO_REPLY =
  'PostgreSQL, or a pooler in front of it, accepted the connection, but ran no statement in time. See what occupies it; if ' +
  'it is a pooler, raise the size of its pool.';
const NO_FEED =
  'a pooler in transaction mode is in front of it, through which no notifications arrive: set feedUrl to an address past ' +
  'the pooler, or feedPollIntervalMs to read changes at an interval';
const NOT_DURABLE =
  'PostgreSQL has synchronous_commit = off: writes that were acknowledged in the moment before a server crash may be lost, ' +
  'including ends of sessions.';

/** A server to wait for, and how the storage uses it. */
export interface ServerStart {
  readonly pool: PostgresPool;
  readonly names: SchemaNames;
  readonly options: ResolvedPostgresOptions;
  readonly logger: Logger;
}

/**
 * Waits for a server that is starting, checks it, and returns how statements may be sent to it. Rejects at once when
 * waiting does not help.
 */
export async function waitForServer(start: ServerStart): Promise<StatementStyle> {
  const endsAt = performance.now() + start.options.connectDeadlineMs;
  let reason: Error | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      return await check(start, endsAt);
    } catch (error) {
      const failure = startFailure(error);
      if (!(failure instanceof StorageUnavailableError)) throw failure;
      // A timeout does not explain the failure: keep the last real cause.
      if (!(error instanceof DeadlineError)) reason = failure;
      const delay = retryDelay(attempt);
      if (performance.now() + delay > endsAt) throw reason ?? failure;
      await setTimeout(delay);
    }
  }
}

/** The connection was opened, but a statement got no reply. */
class NoReplyError extends DeadlineError {}

function startFailure(error: unknown): Error {
  if (error instanceof NoReplyError) return new StorageUnavailableError(NO_REPLY);
  return isPoolTimeout(error) ? new StorageUnavailableError(NO_LOGIN) : toStartError(error);
}

async function check(start: ServerStart, endsAt: number): Promise<StatementStyle> {
  const connecting = start.pool.connect();
  const client = await inTime(connecting, endsAt).catch((error: unknown) => {
    connecting.then(
      (late) => late.release(true),
      () => {},
    );
    throw error;
  });
  let isSpent = true;
  try {
    const style = await inTime(checkThrough(client, start), endsAt);
    isSpent = false;
    return style;
  } catch (error) {
    throw error instanceof DeadlineError ? new NoReplyError(NO_REPLY) : error;
  } finally {
    client.release(isSpent);
  }
}

async function checkThrough(
  client: PostgresClient,
  { pool, names, options, logger }: ServerStart,
): Promise<StatementStyle> {
  const style = await detectStyle(client, options, another(pool, options));
  const { feedUrl, feedPollIntervalMs } = options;
  if (style === SHARED && feedUrl === undefined && feedPollIntervalMs === undefined) {
    throw new OptionsError('This PostgreSQL server does not meet the requirements:', [NO_FEED]);
  }
  if (style === DIRECT && !options.pool) await applySettings(client, sessionSettings(options));
  const { product, mayWrite } = await checkPostgresServer(client, names, options, logger);
  const isEmbedded = style.limits === 'none';
  const openAnother = another(pool, options);
  const errors = await verifyServer(client, { names, mayWrite, isEmbedded, openAnother });
  if (errors.length > 0) throw unsuitable(errors.map((error) => `${error}${productNote(product)}`));
  if (feedUrl !== undefined) await checkFeedUrl(client, names, options);
  const [commit] = await firstRow(client, `SELECT pg_catalog.current_setting('synchronous_commit'::pg_catalog.text)`);
  if (commit === 'off') logger.warn(NOT_DURABLE);
  return style;
}

/** Opens a second connection to the same address, unless the user's pool can have only one. */
function another(pool: PostgresPool, options: ResolvedPostgresOptions): (() => Promise<PostgresClient>) | undefined {
  const { max } = (pool.options ?? {}) as { max?: unknown };
  if (max !== 1) return async () => pool.connect();
  return options.pool ? undefined : async () => openClient(poolSettings(options), '');
}
