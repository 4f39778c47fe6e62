import { SessionInputError } from '../../errors/session.errors.js';
import { StorageNewerFormatError } from '../../errors/storage.errors.js';
import type { ListedRecord, SessionTombstone, StoredSession } from '../session-record.js';
import type * as Op from '../session-storage.operations.js';
import { SessionStorage, type StoreLocation } from '../session-storage.js';
import type { StorageChangeListener } from '../storage-change.js';
import { databaseOf } from './connection/redis-client.js';
import type { WriteReply } from './connection/redis-connection.js';
import { packText } from './records/bytes.js';
import { packEnding, unpackRedisSession, writtenRecord } from './records/stored-session.js';
import { RedisConnections } from './redis-connections.js';
import { redisLocation } from './redis-location.js';
import { createRedisSession } from './redis-session-creation.js';
import { RedisServiceCredentialStorage } from './redis-service-credential-storage.js';
import { RedisSessionReader } from './redis-session-reader.js';
import {
  type RedisSessionStorageOptions,
  type ResolvedRedisOptions,
  resolveRedisOptions,
} from './redis-session-storage.options.js';
import { sweepRedisSessions } from './redis-session-sweep.js';
import { endLoginSessionsScript } from './scripts/end-login-sessions.script.js';
import { endSessionScript } from './scripts/end-session.script.js';
import { replaceSessionScript } from './scripts/replace-session.script.js';
import { rotateSessionScript } from './scripts/rotate-session.script.js';
import { touchSessionsScript } from './scripts/touch-sessions.script.js';
import { SessionKeys } from './session-keys.js';

/**
 * Stores sessions in Redis 7 or later: one server, Sentinel or a cluster. `docs/redis.md` describes the guarantees.
 *
 * @example
 * DistributedSessionModule.forRoot({
 *   serviceId: 'orders',
 *   storage: new RedisSessionStorage({ url: 'redis://localhost:6379' }),
 * });
 */
export class RedisSessionStorage extends SessionStorage {
  readonly services: RedisServiceCredentialStorage;
  readonly #keys: SessionKeys;
  readonly #connections: RedisConnections;
  readonly #reader: RedisSessionReader;
  readonly #options: ResolvedRedisOptions;

  /**
   * Validates the options. No connection is opened before `connect()`.
   *
   * @throws {OptionsError} with every error of the options.
   */
  constructor(options: RedisSessionStorageOptions) {
    super();
    const resolved = resolveRedisOptions(options);
    this.#options = resolved;
    this.#keys = new SessionKeys(resolved.keyPrefix, resolved.tagKey, databaseOf(resolved));
    this.#connections = new RedisConnections(resolved, this.#keys);
    this.#reader = new RedisSessionReader(this.#connections, this.#keys);
    this.services = new RedisServiceCredentialStorage(this.#connections, this.#keys);
  }

  override get location(): StoreLocation {
    return redisLocation(this.#options);
  }

  async connect(): Promise<void> {
    await this.#connections.connect();
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async ping(): Promise<Op.StorageHealth> {
    return this.#connections.ping();
  }

  now(): number {
    return this.#connections.clock.now();
  }

  nextSessionId(loginId: string, predecessorId?: string): string {
    const tag = predecessorId === undefined ? undefined : this.#keys.tagOfSession(predecessorId);
    return this.#keys.newSessionId(loginId, tag ?? this.#keys.tagOfLogin(loginId, this.now()));
  }

  async create(creation: Op.CreateSession): Promise<Op.CreateSessionResult> {
    const end = async (ending: Op.EndSession) => this.end(ending);
    const context = { connections: this.#connections, keys: this.#keys, reader: this.#reader, end };
    const created = await createRedisSession(context, creation);
    return created.outcome === 'foreign-id' ? this.#rejectForeignId(creation.sessionId) : created;
  }

  async get(sessionId: string): Promise<StoredSession | undefined> {
    return this.#reader.find(sessionId);
  }

  async replace(change: Op.ReplaceSession): Promise<Op.ReplaceSessionResult> {
    const { sessionId, expectedVersion, tokenDigest, payload, touch, by } = change;
    const tag = this.#keys.tagOfSession(sessionId);
    if (tag === undefined) return { outcome: 'missing' };
    const written = await this.#connections.write(replaceSessionScript, this.#keys.all(tag), {
      sessionId,
      expectedVersion,
      touch: touch ? '1' : '0',
      tokenDigest: tokenDigest === undefined ? '' : packText(tokenDigest),
      payload: Buffer.from(payload),
      by: packText(by),
    });
    if (written.outcome !== 'replaced') return this.#refusal(sessionId, written);
    return { outcome: 'replaced', session: writtenRecord(written.rest[0]!, payload) };
  }

  async touch(sessionIds: readonly string[]): Promise<readonly (Op.SessionTimes | undefined)[]> {
    const byTag = new Map<string, string[]>();
    for (const sessionId of new Set(sessionIds)) {
      const tag = this.#keys.tagOfSession(sessionId);
      if (tag !== undefined) byTag.set(tag, [...(byTag.get(tag) ?? []), sessionId]);
    }
    const times = new Map<string, Op.SessionTimes>();
    const touchLogin = async ([tag, ids]: [string, string[]]) => {
      const args = { sessionIds: ids.join(',') };
      const { rest } = await this.#connections.write(touchSessionsScript, this.#keys.all(tag), args);
      for (const value of rest.filter(({ length }) => length > 0)) {
        const { sessionId, lastAccessedAt, expiresAt } = writtenRecord(value);
        times.set(sessionId, { sessionId, lastAccessedAt, expiresAt });
      }
    };
    await Promise.all(Array.from(byTag, touchLogin));
    return sessionIds.map((sessionId) => times.get(sessionId));
  }

  async rotate(rotation: Op.RotateSession): Promise<Op.RotateSessionResult> {
    const { sessionId, expectedVersion, successor, graceMs, by, actor, historyRetentionMs } = rotation;
    const tag = this.#keys.tagOfSession(sessionId);
    if (tag === undefined) return { outcome: 'missing' };
    if (this.#keys.tagOfSession(successor.sessionId) !== tag) return this.#rejectForeignId(successor.sessionId);
    const written = await this.#connections.write(rotateSessionScript, this.#keys.all(tag), {
      sessionId,
      expectedVersion,
      successorId: successor.sessionId,
      tokenDigest: packText(successor.tokenDigest),
      payload: Buffer.from(successor.payload),
      ending: packEnding({ reason: 'rotated', by, actor, rotatedTo: successor.sessionId }),
      grace: graceMs,
      retention: historyRetentionMs,
    });
    if (written.outcome === 'id-taken') return { outcome: 'id-taken' };
    if (written.outcome !== 'rotated') return this.#refusal(sessionId, written);
    return { outcome: 'rotated', session: writtenRecord(written.rest[0]!, successor.payload) };
  }

  async end({ sessionId, reason, by, actor, historyRetentionMs }: Op.EndSession): Promise<Op.EndSessionResult> {
    const tag = this.#keys.tagOfSession(sessionId);
    if (tag === undefined) return { outcome: 'missing' };
    const written = await this.#connections.write(endSessionScript, this.#keys.all(tag), {
      tag,
      sessionId,
      ending: packEnding({ reason, by, actor }),
      retention: historyRetentionMs,
    });
    if (written.outcome === 'missing' || written.outcome === 'removed') return { outcome: written.outcome };
    const tombstone = this.#reader.tombstoneOf(sessionId, written);
    return { outcome: written.outcome === 'ended' ? 'ended' : 'already-ended', session: tombstone };
  }

  async endAll(ending: Op.EndAllSessions): Promise<readonly SessionTombstone[]> {
    const { loginId, exceptSessionId, device, reason, by, actor, historyRetentionMs } = ending;
    const args = {
      loginAndDevice: Buffer.concat([packText(loginId), ...(device === undefined ? [] : [packText(device)])]),
      exceptId: exceptSessionId ?? '',
      ending: packEnding({ reason, by, actor }),
      retention: historyRetentionMs,
    };
    const ended = await Promise.all(
      this.#keys.tagKeys.tagsOf(loginId).map(async (tag) => {
        const { rest } = await this.#connections.write(endLoginSessionsScript, this.#keys.all(tag), { ...args, tag });
        return rest.map((value) => unpackRedisSession(value).session as SessionTombstone);
      }),
    );
    return ended.length === 1 ? ended[0]! : ended.flat().toSorted((a, b) => a.createdAt - b.createdAt);
  }

  async listByLogin(loginId: string): Promise<readonly ListedRecord[]> {
    return this.#reader.listLive(loginId);
  }

  async listHistory(loginId: string): Promise<readonly SessionTombstone[]> {
    return this.#reader.listHistory(loginId);
  }

  async count(): Promise<Op.SessionCounts> {
    return this.#reader.count();
  }

  async listLogins(page: Op.ListLogins): Promise<Op.LoginPage> {
    return this.#reader.listLogins(page);
  }

  async sweep(sweep: Op.SweepSessions): Promise<number> {
    return sweepRedisSessions(this.#connections, this.#keys, sweep);
  }

  changes(listener: StorageChangeListener): () => void {
    return this.#connections.feed.subscribe(listener);
  }

  feedLagMs(): number {
    return this.#connections.feed.lagMs();
  }

  /** The result of a write that found no live session at the expected version. */
  #refusal(sessionId: string, reply: WriteReply): Op.SessionWriteRefusal {
    if (reply.outcome === 'missing') return { outcome: 'missing' };
    if (reply.outcome === 'newer') throw new StorageNewerFormatError(`Session ${sessionId}`);
    if (reply.outcome === 'conflict') return { outcome: 'conflict', session: this.#reader.recordOf(sessionId, reply) };
    return { outcome: 'ended', session: this.#reader.tombstoneOf(sessionId, reply) };
  }

  /** An id that belongs to another user cannot be created for this one, whether or not it is in use. */
  async #rejectForeignId(sessionId: string): Promise<{ readonly outcome: 'id-taken' }> {
    if (await this.get(sessionId)) return { outcome: 'id-taken' };
    throw new SessionInputError('sessionId', 'format', 'was not generated by nextSessionId() for this user.');
  }
}
