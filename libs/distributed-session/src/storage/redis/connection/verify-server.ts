import { createHash, randomBytes } from 'node:crypto';
import { AWKWARD_BYTES, HIGHEST_NUMBER, differenceOf } from '../../shared/awkward-values.js';
import { type ClockReading, clockError, spreadError } from '../../shared/clock-reading.js';
import { REPLIED_NUMBER, verifyEngineScript } from '../scripts/verify-engine.script.js';
import type { SessionKeys } from '../session-keys.js';
import { type MasterShard, masterShards } from './redis-client.js';
import type { RedisConnection, Reply } from './redis-connection.js';
import { RejectedCheckError, toCheckError } from './redis-failure.js';

/** A clock that was set during a check is not a broken one. */
const CLOCK_ATTEMPTS = 3;

/**
 * Verifies on every master, without a write, that scripts run, that values pass unchanged, that numbers are exact, that
 * keys with one hash tag belong together, and that the clocks advance and agree. Returns what does not hold.
 */
export async function verifyEngines(connection: RedisConnection, keys: SessionKeys): Promise<string[]> {
  const checks = connection.forChecks();
  const masters = masterShards(connection.client, keys);
  const found = await Promise.all(masters.map(async (master) => verifyEngine(checks, keys, master)));
  const spread = spreadError(found.flatMap(({ clock }) => (clock ? [clock] : [])));
  return [...found.flatMap(({ errors }) => errors), ...(spread === undefined ? [] : [`${spread} between its masters`])];
}

interface VerifiedEngine {
  readonly errors: readonly string[];
  readonly clock?: ClockReading;
}

async function verifyEngine(checks: RedisConnection, keys: SessionKeys, master: MasterShard): Promise<VerifiedEngine> {
  try {
    const errors = resultErrors(await runEngineScript(checks, keys, master.shard));
    if (errors.length > 0) return { errors };
    return await verifyClock(checks, keys, master);
  } catch (error) {
    if (!(error instanceof RejectedCheckError)) throw error;
    return { errors: [rejectedScript(error)] };
  }
}

/** The sentence for a rejected script. */
export function rejectedScript({ rejection, words }: RejectedCheckError): string {
  if (rejection === 'NOPERM')
    return 'its user may not run scripts on the keys of this library (NOPERM): see docs/redis-acl';
  if (rejection === 'CROSSSLOT') {
    return 'it does not keep keys with the same hash tag together (CROSSSLOT): connect to the cluster itself, not through a proxy';
  }
  if (rejection === 'READONLY') {
    return 'it is a replica, which accepts no writes: use the address of its master, or of its Sentinels';
  }
  return `it does not run the scripts of this library ("${words}"): use a server whose EVAL and Lua are those of Redis 7.0 or later`;
}

async function runEngineScript(checks: RedisConnection, keys: SessionKeys, shard: string): Promise<readonly Reply[]> {
  const { beat, sequence } = keys.shard(shard);
  const args = { bytes: AWKWARD_BYTES, number: HIGHEST_NUMBER, json: JSON.stringify([HIGHEST_NUMBER]) };
  return (await checks.run(verifyEngineScript, { beat, sequence }, args)) as readonly Reply[];
}

function resultErrors(reply: readonly Reply[]): string[] {
  const [now, missing, bytes, length, number, ...texts] = reply;
  if (!Array.isArray(reply) || typeof now !== 'number') {
    return ['it does not return the numbers and lists of scripts as such: connect past the proxy that changes replies'];
  }
  if (String(missing) !== '')
    return [`its scripts lack ${String(missing)}: use a server whose Lua is that of Redis 7.0 or later`];
  const difference = differenceOf(AWKWARD_BYTES, bytes as Buffer);
  if (difference !== undefined || length !== AWKWARD_BYTES.length) {
    const seen = difference ?? `${AWKWARD_BYTES.length} bytes became ${String(length)} on their way to the server`;
    return [`it changes values (${seen}): connect past the proxy that treats them as text`];
  }
  const packed = Buffer.alloc(15);
  packed.writeUInt8(1);
  packed.writeUInt32LE(0xff_ff_ff_ff, 1);
  packed.writeDoubleLE(HIGHEST_NUMBER, 5);
  packed.writeUInt16LE(0xff_ff, 13);
  const highest = String(HIGHEST_NUMBER);
  const sha1 = createHash('sha1').update(AWKWARD_BYTES).digest('hex');
  const expected = [highest, packed.toString('hex'), highest, highest, sha1];
  const names = ['string.format', 'struct.pack', 'struct.unpack', 'cjson.decode', 'redis.sha1hex'];
  const [text, pack, ...others] = texts as Buffer[];
  const seen = [String(text), (pack as Buffer).toString('hex'), ...others.map(String)];
  const errors = names.flatMap((name, at) =>
    seen[at] === expected[at]
      ? []
      : [`${name} in its scripts returns ${seen[at]!.slice(0, 40)} instead of ${expected[at]!}`],
  );
  if (number !== REPLIED_NUMBER) errors.push(`a script's number ${REPLIED_NUMBER} arrives as ${String(number)}`);
  if (!/^(?:string|boolean){2}$/u.test(seen.at(-1)!)) errors.push(`a missing value is ${seen.at(-1)!} in its scripts`);
  return errors.map((error) => `${error}: use a server whose Lua is that of Redis 7.0 or later`);
}

/** Compares the time by command, by a script, and by command again. */
async function verifyClock(checks: RedisConnection, keys: SessionKeys, master: MasterShard): Promise<VerifiedEngine> {
  let error: string | undefined;
  for (let attempt = 1; attempt <= CLOCK_ATTEMPTS; attempt++) {
    const sentAt = performance.now();
    const first = await timeOf(master);
    const [now] = (await runEngineScript(checks, keys, master.shard)) as readonly number[];
    const clock = { sentAt, now: now!, receivedAt: performance.now() };
    error = clockError([first, now! + 0.5, await timeOf(master)], 'TIME');
    if (error === undefined) return { errors: [], clock };
  }
  return { errors: [`${error!}: correct the server's clock, or connect past the proxy that answers TIME`] };
}

/** Milliseconds, with the microseconds as a fraction. */
async function timeOf({ node }: MasterShard): Promise<number> {
  try {
    const [seconds, microseconds] = await node.time();
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  } catch (error) {
    throw toCheckError(error, { wasSent: true, isReadOnly: true });
  }
}

/** A name that no other process uses. */
export function newProbeName(): string {
  return randomBytes(12).toString('hex');
}
