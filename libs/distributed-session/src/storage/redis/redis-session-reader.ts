import { StorageCorruptError, StorageNewerFormatError } from '../../errors/storage.errors.js';
import { expiredTombstone } from '../session-lifetime.js';
import type { ListedRecord, SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import type { ListLogins, LoginPage, SessionCounts } from '../session-storage.operations.js';
import type { Moment } from '../shared/server-clock.js';
import { type SessionEntry, visibleAt } from '../shared/session-entry.js';
import { invalidCursor, otherSession } from '../shared/storage-failure.js';
import type { RedisConnection, WriteReply } from './connection/redis-connection.js';
import { LoginSessions, endOf } from './login-sessions.js';
import { inCreationOrder, lastEndedFirst } from './merged-lists.js';
import { unpackRedisSession } from './records/stored-session.js';
import type { RedisConnections } from './redis-connections.js';
import { readLoginScript } from './scripts/read-login.script.js';
import { LOGIN_TAG, SHARDS, type SessionKeys } from './session-keys.js';
import { logUnreadableLogin, unreadable } from './stored-value-errors.js';

/** Shards read concurrently for a page. Most shards have enough users to fill it, or all are nearly empty. */
const SHARDS_AT_A_TIME = 16;

/** The sessions under one tag, as they were at one moment. */
export interface ReadLogin {
  readonly tag: string;
  readonly sessions: LoginSessions;
  readonly now: number;
}

/**
 * Reads sessions with native commands, which cost the server a third of a script, and evaluates them by the estimated
 * server clock. If a session ends so close to the read that the estimate is not precise enough, a script reads the
 * records together with the server's time: two processes never disagree about the end of a session.
 */
export class RedisSessionReader {
  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: SessionKeys,
  ) {}

  async find(sessionId: string): Promise<StoredSession | undefined> {
    const { connection, clock } = this.connections;
    const tag = this.keys.tagOfSession(sessionId);
    if (tag === undefined) return undefined;
    const asked = clock.moment();
    const value = (await connection.read('hget', this.keys.login(tag), sessionId)) as Buffer | null;
    if (value === null) return undefined;
    const unpacked = this.#unpack(sessionId, value);
    const answered = clock.moment();
    if (!fallsBetween(asked, endOf(unpacked), answered)) return this.#readable(unpacked, answered.now);
    const exact = await this.#readExactly(connection, tag);
    const again = exact.sessions.find(sessionId);
    return again && this.#readable(again, exact.now);
  }

  async listLive(loginId: string): Promise<ListedRecord[]> {
    const logins = await this.readLogin(loginId);
    return inCreationOrder(logins.map(({ sessions, now }) => sessions.listLive(loginId, now)));
  }

  async listHistory(loginId: string): Promise<SessionTombstone[]> {
    const logins = await this.readLogin(loginId);
    return lastEndedFirst(logins.map(({ sessions, now }) => sessions.listHistory(loginId, now)));
  }

  /** Reads the sessions of a user under each of its tags. */
  async readLogin(loginId: string): Promise<readonly ReadLogin[]> {
    return Promise.all(this.keys.tagKeys.tagsOf(loginId).map(async (tag) => this.#read(tag)));
  }

  /** Counts live sessions and online users from the counters that the scripts maintain. */
  async count(): Promise<SessionCounts> {
    const { connection } = this.connections;
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

  /** Lists online users in the order of their tags, shard by shard. The cursor is the last tag of the page before. */
  async listLogins({ limit, cursor }: ListLogins): Promise<LoginPage> {
    if (cursor !== undefined && !LOGIN_TAG.test(cursor)) {
      throw invalidCursor();
    }
    const { connection } = this.connections;
    let after = cursor ?? '';
    const logins: LoginPage['logins'][number][] = [];
    while (logins.length < limit) {
      const tags = await this.#tagsAfter(connection, after, limit - logins.length);
      if (tags.length === 0) return { logins };
      const read = await Promise.all(tags.map(async (tag) => this.#onlineLogins(tag)));
      logins.push(...read.flat());
      after = tags.at(-1)!;
    }
    return { logins, nextCursor: after };
  }

  /**
   * Returns the record that a script found live.
   *
   * @throws {StorageNewerFormatError} when a later release wrote it.
   */
  recordOf(sessionId: string, { rest: [value] }: WriteReply): SessionRecord {
    const unpacked = this.#unpack(sessionId, value!);
    if (unpacked.unreadable !== undefined) throw new StorageNewerFormatError(`Session ${sessionId}`);
    return unpacked.session as SessionRecord;
  }

  /**
   * Returns the tombstone of a session that a script found ended or due.
   *
   * @throws {StorageCorruptError} when the script could not read the record.
   */
  tombstoneOf(sessionId: string, { outcome, rest: [value] }: WriteReply): SessionTombstone {
    const { session } = this.#unpack(sessionId, value!);
    if (outcome === 'unreadable') throw this.#unreadable(sessionId, undefined);
    return session.state === 'ended' ? session : expiredTombstone(session);
  }

  /** Reads all sessions under a tag. */
  async #read(tag: string): Promise<ReadLogin> {
    const { connection, clock } = this.connections;
    const key = this.keys.login(tag);
    const asked = clock.moment();
    const sessions = new LoginSessions(key, (await connection.read('hgetall', key)) as readonly Buffer[]);
    const answered = clock.moment();
    const isUndecided = sessions.ends.some((end) => fallsBetween(asked, end, answered));
    return isUndecided ? this.#readExactly(connection, tag) : { tag, sessions, now: answered.now };
  }

  async #readExactly(connection: RedisConnection, tag: string): Promise<ReadLogin> {
    const login = this.keys.login(tag);
    const reply = await connection.run(readLoginScript, { login }, {});
    const [now, fields] = reply as readonly [number, readonly Buffer[]];
    return { tag, sessions: new LoginSessions(login, fields), now };
  }

  /** A user whose key cannot be read is logged and skipped: the other users are still listed. */
  async #onlineLogins(tag: string): Promise<LoginPage['logins']> {
    try {
      const { sessions, now } = await this.#read(tag);
      const logins = sessions.onlineLogins(now);
      if (this.keys.tagKeys.isOne) return logins;
      const merged = await Promise.all(logins.map(async (login) => this.#withOtherTags(tag, login)));
      return merged.flat();
    } catch (error) {
      if (!(error instanceof StorageCorruptError)) throw error;
      logUnreadableLogin(this.keys.login(tag), error);
      return [];
    }
  }

  /** A user with sessions under several tags is listed once, under the first of them. */
  async #withOtherTags(tag: string, { loginId, sessions }: LoginPage['logins'][number]): Promise<LoginPage['logins']> {
    const all = await this.readLogin(loginId);
    const others = all
      .filter((login) => login.tag !== tag)
      .map((login) => ({ tag: login.tag, sessions: login.sessions.listLive(loginId, login.now).length }));
    if (others.some((other) => other.sessions > 0 && other.tag < tag)) return [];
    return [{ loginId, sessions: others.reduce((sum, other) => sum + other.sessions, sessions) }];
  }

  /** Returns the next tags in order, from as many shards as necessary; none after the last one. */
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

  /** Returns a session as a reader sees it. Of one whose payload cannot be read, only the tombstone can be seen. */
  #readable(entry: SessionEntry, now: number): StoredSession | undefined {
    const visible = visibleAt(entry, now);
    if (visible?.state !== 'live' || entry.unreadable === undefined) return visible;
    throw new StorageNewerFormatError(`Session ${visible.sessionId}`);
  }

  #unpack(sessionId: string, value: Buffer): SessionEntry {
    let unpacked: SessionEntry;
    try {
      unpacked = unpackRedisSession(value);
    } catch (error) {
      throw this.#unreadable(sessionId, error);
    }
    if (unpacked.session.sessionId !== sessionId) throw otherSession('Redis', sessionId);
    return unpacked;
  }

  #unreadable(sessionId: string, error: unknown): Error {
    return unreadable(`Session ${sessionId}`, this.keys.login(this.keys.tagOfSession(sessionId)!), sessionId, error);
  }
}

/**
 * Returns whether the session's end may lie between request and reply. Before that it had ended, after that it is live; in
 * between, a later touch may have moved it.
 */
function fallsBetween(asked: Moment, end: number, answered: Moment): boolean {
  return asked.earliest <= end && end <= answered.latest;
}
