import { Logger } from '@nestjs/common';
import { type Cluster, Command, type Redis } from 'ioredis';
import { OptionsError } from '../../../errors/options.error.js';
import { FORMAT } from '../records/stored-session.js';
import type { ResolvedRedisOptions } from '../redis-session-storage.options.js';
import { readOnlyUser } from '../../shared/storage-failure.js';
import { claimStoreScript } from '../scripts/claim-store.script.js';
import { missingRightsScript } from '../scripts/missing-rights.script.js';
import { type SessionKeys } from '../session-keys.js';
import { masterShards } from './redis-client.js';
import { type RedisConnection } from './redis-connection.js';
import { rejectionOf, toRedisStorageError } from './redis-failure.js';

/** The first version whose scripts support `PEXPIREAT … GT` and flags in their first line. */
const MIN_VERSION = 7;

/** The fields of `INFO` that are checked. */
interface ServerFacts {
  readonly version: string;
  readonly role: string;
  readonly evictionPolicy: string;
}

/**
 * Checks every master, the format of the stored data and the rights of the Redis user, once at start. Returns whether
 * the user may write.
 *
 * @throws {OptionsError} with every error and how to fix it.
 */
export async function checkServers(
  connection: RedisConnection,
  keys: SessionKeys,
  options: ResolvedRedisOptions,
  logger: Logger,
): Promise<boolean> {
  const { client } = connection;
  const errors: string[] = [...(await databaseErrors(client))];
  for (const { node } of masterShards(client, keys)) {
    const facts = await factsOf(node);
    if (facts === undefined) {
      logger.warn('The Redis user may not run INFO: version, role and eviction policy were not checked.');
      continue;
    }
    const found = examine(facts, options.onEvictionPolicy);
    errors.push(...found.errors);
    for (const warning of found.warnings) logger.warn(warning);
  }
  const { mayWrite, missing } =
    errors.length === 0 ? await rightsOf(connection, keys) : { mayWrite: true, missing: [] };
  if (missing.length > 0) {
    errors.push(`its user may not run ${missing.join(', ')} on the keys of this library: see docs/redis-acl`);
  }
  if (errors.length === 0) errors.push(...(await storeErrors(connection, keys, mayWrite)));
  if (errors.length > 0) {
    throw new OptionsError('This Redis server does not meet the requirements:', [...new Set(errors)]);
  }
  if (!mayWrite) {
    logger.warn(readOnlyUser('Redis'));
  }
  return mayWrite;
}

/** Finds the missing rights of the user. No right to write at all is valid: the user is read-only. */
async function rightsOf(
  connection: RedisConnection,
  keys: SessionKeys,
): Promise<{ mayWrite: boolean; missing: string[] }> {
  const { channel } = keys;
  const reply = await connection.run(missingRightsScript, keys.all(keys.tagOfLogin('')), { channel });
  const [reading = [], writing = []] = (reply as readonly (readonly Buffer[])[]).map((names) => names.map(String));
  const mayWrite = !writing.includes('HSET');
  return { mayWrite, missing: mayWrite ? [...reading, ...writing] : reading };
}

/** Returns an error if the store was written with a different tag key, or by a later release. */
export async function storeErrors(
  connection: RedisConnection,
  keys: SessionKeys,
  mayWrite: boolean,
): Promise<string[]> {
  const [format, fingerprint] = await storedClaim(connection, keys, mayWrite);
  if (Number(format) > FORMAT) {
    return ['its sessions were written by a later release: upgrade to that release, or use another keyPrefix'];
  }
  if (fingerprint !== keys.fingerprint) {
    return [
      'its sessions were written with a different tagKey: set the same tagKey in every service, or use another keyPrefix',
    ];
  }
  return [];
}

/**
 * Reads the format and the fingerprint of the store. The first process that may write claims an empty store, and one of an
 * earlier format.
 */
async function storedClaim(connection: RedisConnection, keys: SessionKeys, mayWrite: boolean): Promise<string[]> {
  const { meta, fingerprint } = keys;
  const read = (await connection.read('hmget', meta, 'format', 'fingerprint')) as readonly (Buffer | null)[];
  const isClaimed = read.every((value) => value !== null);
  if (isClaimed && (Number(read[0]) >= FORMAT || !mayWrite)) return read.map(String);
  if (!mayWrite) return [String(FORMAT), fingerprint];
  const claimed = await connection.run(claimStoreScript, { meta }, { format: FORMAT, fingerprint });
  return (claimed as readonly Buffer[]).map(String);
}

/** A client that fails to select its database silently stays in database 0. */
async function databaseErrors(client: Redis | Cluster): Promise<string[]> {
  const db = 'db' in client.options ? client.options.db : undefined;
  if (!db) return [];
  try {
    await client.sendCommand(new Command('select', [db]));
    return [];
  } catch (error) {
    if (rejectionOf(error) !== 'ERR') throw toRedisStorageError(error, { wasSent: true, isReadOnly: true });
    return [`it has no database ${db}: use another one, or omit it to use database 0`];
  }
}

async function factsOf(node: Redis): Promise<ServerFacts | undefined> {
  const command = new Command('info', [], { replyEncoding: 'utf8' });
  try {
    const info = String(await node.sendCommand(command));
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    return { version: fact('redis_version'), role: fact('role'), evictionPolicy: fact('maxmemory_policy') };
  } catch (error) {
    if (rejectionOf(error) === 'NOPERM') return undefined;
    throw toRedisStorageError(error, { wasSent: true, isReadOnly: true });
  }
}

function examine(
  { version, role, evictionPolicy }: ServerFacts,
  onEvictionPolicy: ResolvedRedisOptions['onEvictionPolicy'],
): { errors: string[]; warnings: string[] } {
  const errors: string[] = [];
  const warnings: string[] = [];
  if (Number.parseInt(version, 10) < MIN_VERSION) {
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
