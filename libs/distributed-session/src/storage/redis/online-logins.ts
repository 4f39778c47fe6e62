import { SessionInputError } from '../../errors/session.errors.js';
import { StorageCorruptError } from '../../errors/storage.errors.js';
import type { ListLogins, LoginPage, SessionCounts } from '../session-storage.operations.js';
import type { RedisConnection } from './connection/redis-connection.js';
import type { RedisConnections } from './redis-connections.js';
import { LOGIN_TAG, SHARDS, type SessionKeys } from './session-keys.js';
import { RedisSessionReader } from './redis-session-reader.js';
import { reportUnreadableLogin } from './stored-value-errors.js';

/** So many shards are asked at a time: most have a page of logins to give, or all are nearly empty. */
const SHARDS_AT_A_TIME = 16;

/** Who is online: counted by what the scripts keep, and listed in the order of the tags, shard by shard. */
export class OnlineLogins {
  readonly #reader: RedisSessionReader;

  constructor(
    private readonly gateway: RedisConnections,
    private readonly keys: SessionKeys,
  ) {
    this.#reader = new RedisSessionReader(gateway, keys);
  }

  async count(): Promise<SessionCounts> {
    const { connection } = this.gateway;
    const counts = await Promise.all(
      SHARDS.map(async (shard) => {
        const { counter, online } = this.keys.shard(shard);
        const [sessions, logins] = await Promise.all([
          connection.read('get', counter),
          connection.read('zcard', online),
        ]);
        return { sessions: Number(sessions ?? 0), logins: Number(logins) };
      }),
    );
    return {
      sessions: counts.reduce((sum, { sessions }) => sum + sessions, 0),
      logins: counts.reduce((sum, { logins }) => sum + logins, 0),
    };
  }

  async page({ limit, cursor }: ListLogins): Promise<LoginPage> {
    let after = cursor ?? '';
    if (cursor !== undefined && !LOGIN_TAG.test(cursor)) {
      throw new SessionInputError(
        'cursor',
        'format',
        'is not one that listLogins() returned; leave it out to start over.',
      );
    }
    const { connection } = this.gateway;
    const logins: LoginPage['logins'][number][] = [];
    while (logins.length < limit) {
      const tags = await this.#tagsAfter(connection, after, limit - logins.length);
      if (tags.length === 0) return { logins };
      const read = await Promise.all(tags.map(async (tag) => this.#loginsOf(tag)));
      logins.push(...read.flat());
      after = tags.at(-1)!;
    }
    return { logins, nextCursor: after };
  }

  /** One that cannot be read is reported, and does not keep the others from being listed. */
  async #loginsOf(tag: string): Promise<LoginPage['logins']> {
    try {
      const { sessions, now } = await this.#reader.read(tag);
      return sessions.onlineLogins(now);
    } catch (error) {
      if (!(error instanceof StorageCorruptError)) throw error;
      reportUnreadableLogin(this.keys.login(tag), error);
      return [];
    }
  }

  /** The next tags in order, over as many shards as it takes; none when there are no more. */
  async #tagsAfter(connection: RedisConnection, after: string, limit: number): Promise<string[]> {
    const first = after === '' ? 0 : SHARDS.indexOf(after.slice(0, 2));
    for (let at = first; at < SHARDS.length; at += SHARDS_AT_A_TIME) {
      const shards = SHARDS.slice(at, at + SHARDS_AT_A_TIME);
      const found = await Promise.all(shards.map(async (shard) => this.#tagsOf(connection, shard, after, limit)));
      const tags = found.flat().slice(0, limit);
      if (tags.length > 0) return tags;
    }
    return [];
  }

  async #tagsOf(connection: RedisConnection, shard: string, after: string, limit: number): Promise<string[]> {
    const start = after.startsWith(shard) ? `(${after}` : '-';
    const { online } = this.keys.shard(shard);
    const tags = await connection.read('zrangebylex', online, start, '+', 'LIMIT', 0, limit);
    return (tags as readonly Buffer[]).map(String);
  }
}
