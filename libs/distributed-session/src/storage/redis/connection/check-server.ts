import { Logger } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { OptionsError } from '../../../errors/options.error.js';
import type { FeedKey } from '../feed/feed-key.js';
import type { ResolvedRedisOptions } from '../redis-session-storage.options.js';
import { readOnlyUser } from '../../shared/storage-failure.js';
import { type SessionKeys } from '../session-keys.js';
import { earlierTagKeyError } from './earlier-tag-keys.js';
import { masterShards } from './redis-client.js';
import { type FoundProduct, productIn, reportProducts } from './redis-product.js';
import { type RedisConnection } from './redis-connection.js';
import { rejectionOf, toRedisStorageError } from './redis-failure.js';
import { RedisRights } from './redis-rights.js';
import { storeClaim } from './store-claim.js';
import { verifyEngines } from './verify-server.js';
import { verifyWrites } from './verify-writes.js';

/** The first version whose scripts support `PEXPIREAT … GT` and flags in their first line. */
const MIN_VERSION = 7;

/** The fields of `INFO` that are checked. */
interface ServerFacts {
  readonly version: string;
  readonly product: FoundProduct | undefined;
  readonly role: string;
  readonly evictionPolicy: string;
}

/**
 * Checks every master, the rights of the Redis user and the format of the stored data, once at start, and adopts the
 * store's feed key. Returns the rights.
 *
 * @throws {OptionsError} with every error and how to fix it.
 */
export async function checkServers(
  connection: RedisConnection,
  keys: SessionKeys,
  feedKey: FeedKey,
  options: ResolvedRedisOptions,
  logger: Logger,
): Promise<RedisRights> {
  const { client } = connection;
  const products: FoundProduct[] = [];
  const errors: string[] = [...(await databaseErrors(client))];
  for (const { node } of masterShards(client, keys)) {
    const facts = await factsOf(node);
    if (facts === undefined) {
      logger.warn('The Redis user may not run INFO: version, role and eviction policy were not checked.');
      continue;
    }
    if (facts.product) products.push(facts.product);
    const found = examine(facts, options.onEvictionPolicy);
    errors.push(...found.errors);
    for (const warning of found.warnings) logger.warn(warning);
  }
  refuse(errors);
  refuse(await verifyEngines(connection, keys));
  const rights = await RedisRights.of(connection, keys);
  if (rights.unknown.length > 0) {
    refuse([
      `it does not have ${rights.unknown.join(', ')}: remove rename-command from its configuration, or use another server`,
    ]);
  }
  if (rights.incomplete.length > 0) {
    refuse([`its user may not run ${rights.incomplete.join(', ')} on the keys of this library: see docs/redis-acl`]);
  }
  refuse(await verifyWrites(connection, keys, rights));
  const { error, warning, storedFeedKey, tagKeys } = await storeClaim(connection, keys, feedKey, rights);
  if (error !== undefined) refuse([error]);
  if (warning !== undefined) logger.warn(warning);
  const endsAt = performance.now() + options.connectDeadlineMs;
  const keyError = tagKeys && (await earlierTagKeyError(connection, keys, tagKeys, rights, endsAt));
  if (keyError !== undefined) refuse([keyError]);
  if (storedFeedKey !== undefined) feedKey.adopt(storedFeedKey);
  reportProducts(products, logger);
  if (!rights.may('write-sessions') && !rights.may('write-services')) logger.warn(readOnlyUser('Redis'));
  return rights;
}

/** @throws {OptionsError} when there are errors. */
export function refuse(errors: readonly string[]): void {
  if (errors.length === 0) return;
  throw new OptionsError('This Redis server does not meet the requirements:', [...new Set(errors)]);
}

/** A client that fails to select its database silently stays in database 0. */
async function databaseErrors(client: Redis | Cluster): Promise<string[]> {
  const db = 'db' in client.options ? client.options.db : undefined;
  if (!db) return [];
  try {
    await client.call('select', db);
    return [];
  } catch (error) {
    if (rejectionOf(error) !== 'ERR') throw toRedisStorageError(error, { wasSent: true, isReadOnly: true });
    return [`it has no database ${db}: use another one, or omit it to use database 0`];
  }
}

async function factsOf(node: Redis): Promise<ServerFacts | undefined> {
  try {
    const info = await node.info();
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    return {
      version: fact('redis_version'),
      product: productIn(info),
      role: fact('role'),
      evictionPolicy: fact('maxmemory_policy'),
    };
  } catch (error) {
    if (rejectionOf(error) === 'NOPERM') return undefined;
    throw toRedisStorageError(error, { wasSent: true, isReadOnly: true });
  }
}

function examine(
  { version, product, role, evictionPolicy }: ServerFacts,
  onEvictionPolicy: ResolvedRedisOptions['onEvictionPolicy'],
): { errors: string[]; warnings: string[] } {
  const errors: string[] = [];
  const warnings: string[] = [];
  // Of another product, it is the version that it imitates: its behaviour decides.
  if (!product && Number.parseInt(version, 10) < MIN_VERSION) {
    errors.push(`it runs Redis ${version}: version ${MIN_VERSION}.0 or later is required`);
  }
  if (role === 'slave') {
    errors.push('it is a replica, which accepts no writes: use the address of its master, or of its Sentinels');
  }
  if (evictionPolicy !== '' && evictionPolicy !== 'noeviction') {
    const problem = `its maxmemory-policy is ${evictionPolicy}, so it may evict sessions when its memory is full: set it to noeviction`;
    if (onEvictionPolicy === 'refuse') errors.push(`${problem}, or accept the risk with onEvictionPolicy: 'warn'`);
    else warnings.push(`Redis may lose sessions: ${problem}.`);
  }
  return { errors, warnings };
}
