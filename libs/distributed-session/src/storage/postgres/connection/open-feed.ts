import { OptionsError } from '../../../errors/options.error.js';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import { firstRow } from '../schema/schema-state.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { isDirect, sharesSessions } from './detect-pooler.js';
import { feedSettings, openClient, poolSettings } from './open-pool.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { applySettings, sessionSettings } from './session-settings.js';
import { BORROWED, DIRECT, type StatementStyle } from './statement-style.js';

/** The change feed's connection, and how statements are sent on it. */
export interface FeedClient {
  readonly client: PostgresClient;
  readonly style: StatementStyle;
}

const SUFFIX = ' (change feed)';

/** Opens the change feed's own connection, which is taken from the user's pool if there is one and no `feedUrl`. */
export async function openFeed(
  pool: PostgresPool,
  names: SchemaNames,
  options: ResolvedPostgresOptions,
  style: StatementStyle,
): Promise<FeedClient> {
  if (options.feedUrl !== undefined) return openFeedUrl(options, names, async () => identityThrough(pool, names));
  const client = options.pool ? await options.pool.connect() : await openClient(poolSettings(options), SUFFIX);
  try {
    if (!style.isNamed || style.limits === 'none' || !(await isDirect(client))) return { client, style };
    // The feed closes its connection when it no longer needs it: none of this remains in an application's own pool.
    return { client: await prepared(client, options), style: DIRECT };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** Checks, once at start, that the `feedUrl` leads to the same database, and through no pooler that shares sessions. */
export async function checkFeedUrl(
  client: PostgresClient,
  names: SchemaNames,
  options: ResolvedPostgresOptions,
): Promise<void> {
  const feed = await openFeedUrl(options, names, async () => identityOf(client, names));
  try {
    const isShared = await sharesSessions(feed.client, async () => openClient(feedSettings(options), SUFFIX));
    if (isShared)
      throw unsuitableFeed('it leads through a pooler in transaction mode: set it to an address past the pooler');
  } finally {
    feed.client.release(true);
  }
}

async function openFeedUrl(
  options: ResolvedPostgresOptions,
  names: SchemaNames,
  expected: () => Promise<string>,
): Promise<FeedClient> {
  const client = await openClient(feedSettings(options), SUFFIX);
  try {
    const [here, there] = [await identityOf(client, names), await expected()];
    if (here !== there)
      throw unsuitableFeed('it leads to another server or database: set it to the same one as the url');
    if (!(await isDirect(client))) return { client, style: BORROWED };
    return { client: await prepared(client, options), style: DIRECT };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function identityThrough(pool: PostgresPool, names: SchemaNames): Promise<string> {
  const client = await pool.connect();
  let isSpent = true;
  try {
    const identity = await identityOf(client, names);
    isSpent = false;
    return identity;
  } finally {
    client.release(isSpent);
  }
}

/** The running server, and the feed's table in it. A standby and a restored copy have the table, but another start. */
async function identityOf(client: PostgresClient, names: SchemaNames): Promise<string> {
  const text = `SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time()), pg_catalog.current_database(),
  pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid`;
  return (await firstRow(client, text, [names.of('session_feed')])).join(' ');
}

async function prepared(client: PostgresClient, options: ResolvedPostgresOptions): Promise<PostgresClient> {
  await applySettings(client, sessionSettings(options));
  return client;
}

function unsuitableFeed(reason: string): OptionsError {
  return new OptionsError('The feedUrl of PostgresSessionStorage is not suitable:', [reason]);
}
