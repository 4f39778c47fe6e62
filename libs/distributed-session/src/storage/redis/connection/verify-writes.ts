import { AWKWARD_BYTES, HIGHEST_NUMBER, differenceOf } from '../../shared/awkward-values.js';
import { WriteRejectedError } from '../../shared/storage-failure.js';
import { verifyServicesScript } from '../scripts/verify-services.script.js';
import { useTypesScript, writeProbeScript } from '../scripts/verify-sessions.script.js';
import type { SessionKeys } from '../session-keys.js';
import { masterShards } from './redis-client.js';
import type { RedisConnection } from './redis-connection.js';
import { RejectedCheckError } from './redis-failure.js';
import type { RedisRights } from './redis-rights.js';
import { newProbeName, rejectedScript } from './verify-server.js';

/** One less than the highest number, which the check counts to. */
const NUMBER = String(HIGHEST_NUMBER - 1);

/** What the commands in `use-types` return, in their order. */
const TYPES: readonly (readonly [command: string, result: string])[] = [
  ['HEXISTS', '1'],
  ['HDEL', '1'],
  ['HGET', 'none'],
  ['PEXPIREAT with an earlier time and GT', '0'],
  ['PEXPIREAT with a later time and GT', '1'],
  ['PEXPIREAT with a past time', '1'],
  ['HEXISTS after the expiry', '0'],
  ['ZSCORE', NUMBER],
  ['ZRANGEBYSCORE', 'b'],
  ['ZRANGEBYLEX', 'c'],
  ['ZCARD', '2'],
  ['INCR', String(HIGHEST_NUMBER)],
  ['DEL', '1'],
];

/**
 * Verifies on every master that what is written is read back, that a write at an expected version happens once, and that
 * the commands of the scripts do what they do on Redis: with the rights of this user, on keys that no other process uses,
 * which are removed. Returns what does not hold. Does nothing on a server that accepts no writes at the moment.
 */
export async function verifyWrites(
  connection: RedisConnection,
  keys: SessionKeys,
  rights: RedisRights,
): Promise<string[]> {
  const checks = connection.forChecks();
  try {
    if (!rights.may('write-sessions')) return rights.may('write-services') ? await verifyServices(checks, keys) : [];
    const masters = masterShards(connection.client, keys);
    return (await Promise.all(masters.map(async ({ shard }) => verifySessions(checks, keys, shard)))).flat();
  } catch (error) {
    if (error instanceof WriteRejectedError) return [];
    if (error instanceof RejectedCheckError) return [rejectedScript(error)];
    throw error;
  }
}

async function verifySessions(checks: RedisConnection, keys: SessionKeys, shard: string): Promise<string[]> {
  const probe = keys.probe(shard, newProbeName());
  const write = async () => checks.write(writeProbeScript, { probe }, { expected: 0, bytes: AWKWARD_BYTES });
  const written = await write();
  const [again, read, all] = await Promise.all([
    write(),
    checks.read('hget', probe, 'bytes'),
    checks.read('hgetall', probe),
  ]);
  const used = await checks.write(useTypesScript, { probe }, { number: NUMBER });
  const errors = [
    ...changedBytes('a script', written.rest[0]),
    ...changedBytes('HGET', read),
    ...changedBytes('HGETALL', Array.isArray(all) ? all[all.findIndex((each) => String(each) === 'bytes') + 1] : all),
  ];
  if (written.outcome !== 'written' || again.outcome !== 'conflict') {
    const seen = `the first was ${written.outcome}, the second ${again.outcome}`;
    errors.push(
      `it applies two writes that expect the same version (${seen}): use a server that runs scripts one at a time`,
    );
  }
  for (const [at, [command, result]] of TYPES.entries()) {
    const seen = used.rest[at]?.toString() ?? 'nothing';
    if (seen !== result)
      errors.push(`${command} returns ${seen.slice(0, 40)} instead of ${result}: use Redis 7.0 or later`);
  }
  return errors;
}

async function verifyServices(checks: RedisConnection, keys: SessionKeys): Promise<string[]> {
  const args = { field: `@probe:${newProbeName()}`, bytes: AWKWARD_BYTES };
  const { rest } = await checks.write(verifyServicesScript, { keyIds: keys.serviceKeyIds }, args);
  const isRemoved = rest[1]?.toString() === 'none';
  return [
    ...changedBytes('a script', rest[0]),
    ...(isRemoved ? [] : ['HDEL does not remove a field: use Redis 7.0 or later']),
  ];
}

function changedBytes(reader: string, read: unknown): string[] {
  const difference = Buffer.isBuffer(read)
    ? differenceOf(AWKWARD_BYTES, read)
    : `${AWKWARD_BYTES.length} bytes became none`;
  if (difference === undefined) return [];
  return [
    `what it stores is read back differently by ${reader} (${difference}): connect past the proxy that treats values as text`,
  ];
}
