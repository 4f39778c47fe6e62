import { WriteRejectedError } from '../../shared/storage-failure.js';
import { missingRightsScript } from '../scripts/missing-rights.script.js';
import type { SessionKeys } from '../session-keys.js';
import type { RedisConnection } from './redis-connection.js';

/** The areas of rights that the roles in `docs/redis.md` combine. */
export type RedisArea =
  | 'connect'
  | 'claim'
  | 'upgrade'
  | 'beat'
  | 'count'
  | 'read-sessions'
  | 'write-sessions'
  | 'read-services'
  | 'write-services';

type Command = readonly [string, ...string[]];

/** The areas that an area requires: a user with a part of them is misconfigured. */
const REQUIRES: Partial<Record<RedisArea, readonly RedisArea[]>> = {
  'write-sessions': ['claim', 'beat', 'count', 'read-sessions'],
  'write-services': ['claim', 'beat', 'read-services'],
};

/** Commands that do not decide whether a user may write: several areas use the channel, and the others only read. */
const SHARED: readonly string[] = ['PUBLISH', 'HEXISTS', 'HLEN', 'ZSCORE', 'ZRANGEBYSCORE'];

/** The roles in `docs/redis-acl` that may write an area. */
const WRITER_ROLES = { 'write-sessions': 'sessions or owner', 'write-services': 'registry or owner' } as const;

/** The rights of the Redis user, which were checked once, at start. */
export class RedisRights {
  readonly #missing: ReadonlyMap<RedisArea, readonly Command[]>;

  private constructor(
    private readonly commands: Readonly<Record<RedisArea, readonly Command[]>>,
    missing: ReadonlyMap<RedisArea, readonly Command[]>,
    /** The commands that the server does not have: its configuration renames or disables them. */
    readonly unknown: readonly string[],
  ) {
    this.#missing = missing;
  }

  static async of(connection: RedisConnection, keys: SessionKeys): Promise<RedisRights> {
    const commands = commandsOf(keys);
    const areas = Object.entries(commands) as [RedisArea, readonly Command[]][];
    const all = areas.flatMap(([area, list]) => list.map((command) => ({ area, command })));
    const list = JSON.stringify(all.map(({ command }) => command));
    const reply = await connection.run(missingRightsScript, { meta: keys.meta }, { commands: list });
    const missing = new Map<RedisArea, Command[]>(areas.map(([area]) => [area, []]));
    const [notAllowed, notKnown] = reply as readonly (readonly number[])[];
    for (const position of notAllowed!) {
      const { area, command } = all[position]!;
      missing.get(area)!.push(command);
    }
    const unknown = new Set(notKnown!.map((position) => all[position]!.command[0]));
    return new RedisRights(commands, missing, [...unknown]);
  }

  may(area: RedisArea): boolean {
    return this.#missing.get(area)!.length === 0;
  }

  /** @throws {WriteRejectedError} which names the missing commands. */
  require(area: keyof typeof WRITER_ROLES): void {
    const missing = this.#missing.get(area)!;
    if (missing.length === 0) return;
    const [command, key] = missing.find(isDecisive) ?? missing[0]!;
    throw new WriteRejectedError(
      `Redis does not allow its user to ${area.replace('-', ' ')}: it lacks the right to ${command} on ${key}. ` +
        `Use a user with the role ${WRITER_ROLES[area]} (docs/redis.md).`,
      false,
    );
  }

  /** @throws {WriteRejectedError} when the user may write neither sessions nor services. */
  requireWrites(): void {
    if (!this.may('write-services')) this.require('write-sessions');
  }

  /**
   * The commands without which an area works only in part. A user may lack an area as a whole: such a user reads, or has
   * a role that does without it.
   */
  get incomplete(): string[] {
    const areas = Object.keys(this.commands) as RedisArea[];
    const wanted = new Set<RedisArea>(['connect', ...areas.filter((area) => !this.#isAbsent(area))]);
    for (const area of wanted) for (const required of REQUIRES[area] ?? []) wanted.add(required);
    return [...new Set([...wanted].flatMap((area) => this.#missing.get(area)!.map(([name]) => name)))];
  }

  /** Whether all commands are missing that only this area requires. */
  #isAbsent(area: RedisArea): boolean {
    return this.#missing.get(area)!.filter(isDecisive).length === this.commands[area].filter(isDecisive).length;
  }
}

/** One call of each command that the storage runs, on keys of one shard. */
function commandsOf(keys: SessionKeys): Record<RedisArea, readonly Command[]> {
  const { login, expiries, online, counter, sequence, beat } = keys.all(keys.tagOfLogin(''));
  const { channel, meta, services, serviceKeyIds, serviceSequence } = keys;
  return {
    connect: [
      ['TIME'],
      ['SUBSCRIBE', channel],
      ['HMGET', meta, 'f'],
      ['GET', sequence],
      ['GET', serviceSequence],
      ['GET', beat],
    ],
    claim: [['HSETNX', meta, 'f', 'v']],
    upgrade: [['HSET', meta, 'f', 'v']],
    beat: [
      ['SET', beat, 'v'],
      ['PUBLISH', channel, 'm'],
    ],
    count: [
      ['GET', counter],
      ['ZCARD', online],
    ],
    'read-sessions': [
      ['HGET', login, 'f'],
      ['HGETALL', login],
      ['ZRANGEBYLEX', online, '-', '+'],
    ],
    'write-sessions': [
      ['HEXISTS', login, 'f'],
      ['HSET', login, 'f', 'v'],
      ['HDEL', login, 'f'],
      ['PEXPIREAT', login, '1'],
      ['INCR', sequence],
      ['INCRBY', sequence, '1'],
      ['EXPIRE', sequence, '1'],
      ['PUBLISH', channel, 'm'],
      ['ZSCORE', expiries, 'm'],
      ['ZRANGEBYSCORE', expiries, '0', '1'],
      ['ZADD', expiries, '1', 'm'],
      ['ZREM', online, 'm'],
      ['INCRBY', counter, '1'],
      ['DEL', counter],
    ],
    'read-services': [
      ['HGET', services, 'f'],
      ['HGET', serviceKeyIds, 'f'],
      ['HGETALL', services],
    ],
    'write-services': [
      ['HLEN', services],
      ['HKEYS', services],
      ['HSET', services, 'f', 'v'],
      ['HDEL', services, 'f'],
      ['HSET', serviceKeyIds, 'f', 'v'],
      ['HDEL', serviceKeyIds, 'f'],
      ['INCR', serviceSequence],
      ['INCRBY', serviceSequence, '1'],
      ['EXPIRE', serviceSequence, '1'],
      ['PUBLISH', channel, 'm'],
    ],
  };
}

function isDecisive([name]: Command): boolean {
  return !SHARED.includes(name);
}
