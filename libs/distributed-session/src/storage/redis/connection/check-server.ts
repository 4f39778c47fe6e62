import { Logger } from '@nestjs/common';
import { type Cluster, Command, type Redis } from 'ioredis';
import { OptionsError } from '../../../errors/options.error.js';
import { FORMAT } from '../records/stored-session.js';
import type { ResolvedRedisOptions } from '../redis-session-storage.options.js';
import { claimStoreScript } from '../scripts/claim-store.script.js';
import { missingRightsScript } from '../scripts/missing-rights.script.js';
import { type SessionKeys } from '../session-keys.js';
import { masterShards } from './redis-client.js';
import { type RedisConnection } from './redis-connection.js';
import { refusalOf, toStorageError } from './redis-failure.js';

/** Scripts use `PEXPIREAT … GT` and flags in their first line. */
const MIN_VERSION = 7;

/** What of `INFO` matters here. */
interface ServerFacts {
  readonly version: string;
  readonly role: string;
  readonly evictionPolicy: string;
}

/**
 * Checks, once at start, that every master can keep sessions, that the store holds what this process can read, and what
 * its user may do; answers whether it may write. Throws {@link OptionsError} with every fault and its way out.
 */
export async function checkServers(
  connection: RedisConnection,
  keys: SessionKeys,
  options: ResolvedRedisOptions,
  logger: Logger,
): Promise<boolean> {
  const { client } = connection;
  const faults: string[] = [...(await databaseFaults(client))];
  for (const { node } of masterShards(client, keys)) {
    const facts = await factsOf(node);
    if (facts === undefined) {
      logger.warn('Redis does not let its user run INFO, so version, role and eviction policy were not checked.');
      continue;
    }
    const { serious, worrying } = judge(facts, options.onEvictionPolicy);
    faults.push(...serious);
    for (const worry of worrying) logger.warn(worry);
  }
  const { mayWrite, lacking } =
    faults.length === 0 ? await rightsOf(connection, keys) : { mayWrite: true, lacking: [] };
  if (lacking.length > 0) {
    faults.push(`its user may not run ${lacking.join(', ')} on the keys of this library: see docs/redis-acl`);
  }
  if (faults.length === 0) faults.push(...(await storeFaults(connection, keys, mayWrite)));
  if (faults.length > 0) throw new OptionsError('This Redis cannot keep the sessions:', [...new Set(faults)]);
  if (!mayWrite) logger.warn('The user of Redis may only read: sessions can be looked at, and not created or changed.');
  return mayWrite;
}

/** What the user of a connection may do: all, or only read; anything between the two is a mistake, and `lacking`. */
async function rightsOf(
  connection: RedisConnection,
  keys: SessionKeys,
): Promise<{ mayWrite: boolean; lacking: string[] }> {
  const { channel } = keys;
  const reply = await connection.run(missingRightsScript, keys.all(keys.tagOfLogin('')), { channel });
  const [reading = [], writing = []] = (reply as readonly (readonly Buffer[])[]).map((names) => names.map(String));
  const mayWrite = !writing.includes('HSET');
  return { mayWrite, lacking: mayWrite ? [...reading, ...writing] : reading };
}

/** Whether the store was written with another tag key, or by a later release: one sentence each. */
export async function storeFaults(
  connection: RedisConnection,
  keys: SessionKeys,
  mayWrite: boolean,
): Promise<string[]> {
  const [format, fingerprint] = await storedClaim(connection, keys, mayWrite);
  if (Number(format) > FORMAT) {
    return ['the sessions in it were written by a later release: use that release, or another keyPrefix'];
  }
  if (fingerprint !== keys.fingerprint) {
    return ['its sessions were written with another tagKey: give every service the same tagKey, or another keyPrefix'];
  }
  return [];
}

/** What the store says of itself. An empty one is claimed by the first who may write. */
async function storedClaim(connection: RedisConnection, keys: SessionKeys, mayWrite: boolean): Promise<string[]> {
  const { meta, fingerprint } = keys;
  const read = (await connection.read('hmget', meta, 'format', 'fingerprint')) as readonly (Buffer | null)[];
  if (read.every((value) => value !== null)) return read.map(String);
  if (!mayWrite) return [String(FORMAT), fingerprint];
  const claimed = await connection.run(claimStoreScript, { meta }, { format: FORMAT, fingerprint });
  return (claimed as readonly Buffer[]).map(String);
}

/** A client that cannot select its database stays, silently, in database 0. */
async function databaseFaults(client: Redis | Cluster): Promise<string[]> {
  const db = 'db' in client.options ? client.options.db : undefined;
  if (!db) return [];
  try {
    await client.sendCommand(new Command('select', [db]));
    return [];
  } catch (error) {
    if (refusalOf(error) !== 'ERR') throw toStorageError(error, { wasSent: true, isReadOnly: true });
    return [`it has no database ${db}: name another one, or none for database 0`];
  }
}

async function factsOf(node: Redis): Promise<ServerFacts | undefined> {
  const command = new Command('info', [], { replyEncoding: 'utf8' });
  try {
    const info = String(await node.sendCommand(command));
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    return { version: fact('redis_version'), role: fact('role'), evictionPolicy: fact('maxmemory_policy') };
  } catch (error) {
    if (refusalOf(error) === 'NOPERM') return undefined;
    throw toStorageError(error, { wasSent: true, isReadOnly: true });
  }
}

function judge(
  { version, role, evictionPolicy }: ServerFacts,
  onEvictionPolicy: 'refuse' | 'warn',
): { serious: string[]; worrying: string[] } {
  const serious: string[] = [];
  const worrying: string[] = [];
  if (Number.parseInt(version, 10) < MIN_VERSION) {
    serious.push(`it is Redis ${version}: version ${MIN_VERSION}.0 or later is needed`);
  }
  if (role === 'slave') {
    serious.push('it is a replica, which takes no writes: give the address of its master, or of its Sentinels');
  }
  if (evictionPolicy !== '' && evictionPolicy !== 'noeviction') {
    const fault = `its maxmemory-policy is ${evictionPolicy}, so sessions may vanish when its memory is full: set it to noeviction`;
    if (onEvictionPolicy === 'refuse') serious.push(`${fault}, or accept that with onEvictionPolicy: 'warn'`);
    else worrying.push(`Redis may lose sessions: ${fault}.`);
  }
  return { serious, worrying };
}
