import { v7 as uuidv7 } from 'uuid';
import { isSessionId } from '../../model/session-id.js';
import type { ListedRecord, SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import type * as Op from '../session-storage.operations.js';
import { SessionStorage, type StoreLocation } from '../session-storage.js';
import type { StorageChangeListener } from '../storage-change.js';
import { createSession } from './functions/create-session.function.js';
import { endLoginSessions } from './functions/end-login-sessions.function.js';
import { endSession } from './functions/end-session.function.js';
import { replaceSession } from './functions/replace-session.function.js';
import { rotateSession } from './functions/rotate-session.function.js';
import { PostgresConnections } from './postgres-connections.js';
import { postgresLocation } from './postgres-location.js';
import { PostgresServiceCredentialStorage } from './postgres-service-credential-storage.js';
import { PostgresSessionReader } from './postgres-session-reader.js';
import {
  type PostgresSessionStorageOptions,
  type ResolvedPostgresOptions,
  resolvePostgresOptions,
} from './postgres-session-storage.options.js';
import { escapeText } from './records/escaped-text.js';
import type { RowReader } from './records/row-reader.js';
import { SchemaNames } from './schema/schema-names.js';
import { sweepAndPurge, touchAll } from './statement-sequences.js';

/**
 * Stores sessions in PostgreSQL 14 or later. `docs/postgres.md` describes the guarantees and how they are kept.
 *
 * @example
 * DistributedSessionModule.forRoot({
 *   serviceId: 'orders',
 *   storage: new PostgresSessionStorage({ url: 'postgres://sessions:password@localhost:5432/sessions' }),
 * });
 */
export class PostgresSessionStorage extends SessionStorage {
  readonly services: PostgresServiceCredentialStorage;
  readonly #connections: PostgresConnections;
  readonly #reader: PostgresSessionReader;
  readonly #options: ResolvedPostgresOptions;

  /**
   * Validates the options. Nothing is opened before `connect()`.
   *
   * @throws {OptionsError} with every error of the options at once.
   */
  constructor(options: PostgresSessionStorageOptions) {
    super();
    const resolved = resolvePostgresOptions(options);
    this.#options = resolved;
    this.#connections = new PostgresConnections(resolved, new SchemaNames(resolved.schema, resolved.tablePrefix));
    this.#reader = new PostgresSessionReader(this.#connections);
    this.services = new PostgresServiceCredentialStorage(this.#connections);
  }

  override get location(): StoreLocation {
    return postgresLocation(this.#options);
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

  /** Returns a UUID version 7, which is ordered by time, so that new rows are adjacent in the index. */
  nextSessionId(): string {
    return uuidv7();
  }

  async create(creation: Op.CreateSession): Promise<Op.CreateSessionResult> {
    const { sessionId, loginId, device, by, tokenDigest, payload, limits, historyRetentionMs } = creation;
    const { outcome, stored } = await this.#connections.writeOne(createSession, {
      sessionId,
      loginId: escapeText(loginId),
      by: escapeText(by),
      device: escaped(device),
      idleMs: creation.idleTimeoutMs ?? null,
      absoluteMs: creation.absoluteTimeoutMs ?? null,
      tokenDigest: tokenDigest ?? null,
      payload,
      perLogin: limits.perLogin,
      perDevice: limits.perDevice ?? null,
      onLimit: limits.onLimit,
      retentionMs: historyRetentionMs,
    });
    if (outcome === 'created') return { outcome, session: this.#written(sessionId, stored, payload) };
    if (outcome === 'id-taken') return { outcome };
    return { outcome: 'limit-reached', scope: outcome === 'limit-login' ? 'login' : 'device' };
  }

  async get(sessionId: string): Promise<StoredSession | undefined> {
    return isSessionId(sessionId) ? this.#reader.find(sessionId) : undefined;
  }

  async replace(change: Op.ReplaceSession): Promise<Op.ReplaceSessionResult> {
    const { sessionId, expectedVersion, tokenDigest = null, payload, touch, by } = change;
    if (!isSessionId(sessionId)) return { outcome: 'missing' };
    const values = { sessionId, expectedVersion, tokenDigest, payload, touch, by: escapeText(by) };
    const { outcome, stored } = await this.#connections.writeOne(replaceSession, values);
    if (outcome !== 'replaced') return this.#refusal(sessionId, outcome, stored);
    return { outcome, session: this.#written(sessionId, stored, payload) };
  }

  async touch(sessionIds: readonly string[]): Promise<readonly (Op.SessionTimes | undefined)[]> {
    const times = await touchAll(this.#connections, sessionIds.filter(isSessionId));
    return sessionIds.map((sessionId) => times.get(sessionId));
  }

  async rotate(rotation: Op.RotateSession): Promise<Op.RotateSessionResult> {
    const { sessionId, expectedVersion, successor, graceMs, by, actor, historyRetentionMs } = rotation;
    if (!isSessionId(sessionId)) return { outcome: 'missing' };
    const { outcome, stored } = await this.#connections.writeOne(rotateSession, {
      sessionId,
      expectedVersion,
      successorId: successor.sessionId,
      tokenDigest: successor.tokenDigest ?? null,
      payload: successor.payload,
      graceMs,
      by: escapeText(by),
      actor: escaped(actor),
      retentionMs: historyRetentionMs,
    });
    if (outcome === 'id-taken') return { outcome };
    if (outcome !== 'rotated') return this.#refusal(sessionId, outcome, stored);
    return { outcome, session: this.#written(successor.sessionId, stored, successor.payload) };
  }

  async end({ sessionId, reason, by, actor, historyRetentionMs }: Op.EndSession): Promise<Op.EndSessionResult> {
    if (!isSessionId(sessionId)) return { outcome: 'missing' };
    const { outcome, stored } = await this.#connections.writeOne(endSession, {
      sessionId,
      reason,
      by: escapeText(by),
      actor: escaped(actor),
      retentionMs: historyRetentionMs,
    });
    if (outcome === 'missing') return { outcome };
    const session = this.#reader.tombstoneOf(sessionId, stored);
    return { outcome: outcome === 'ended' ? 'ended' : 'already-ended', session };
  }

  async endAll(ending: Op.EndAllSessions): Promise<readonly SessionTombstone[]> {
    const { loginId, exceptSessionId, device, reason, by, actor, historyRetentionMs } = ending;
    const ended = await this.#connections.write(endLoginSessions, {
      loginId: escapeText(loginId),
      exceptId: isSessionId(exceptSessionId) ? exceptSessionId : null,
      device: escaped(device),
      reason,
      by: escapeText(by),
      actor: escaped(actor),
      retentionMs: historyRetentionMs,
    });
    return ended.map(({ stored }) => this.#reader.tombstoneOf(stored.peek() ?? '', stored));
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
    return sweepAndPurge(this.#connections, sweep);
  }

  changes(listener: StorageChangeListener): () => void {
    return this.#connections.feed.subscribe(listener);
  }

  feedLagMs(): number {
    return this.#connections.feed.lagMs();
  }

  /** The session after a write. The reply omits the payload, which the caller has. */
  #written(sessionId: string, stored: RowReader, payload: Uint8Array): SessionRecord {
    return { ...this.#reader.recordOf(sessionId, stored), payload: new Uint8Array(payload) };
  }

  /** The result of a write that was rejected, with the session as it is now. */
  #refusal(sessionId: string, outcome: string, stored: RowReader): Op.SessionWriteRefusal {
    if (outcome === 'missing') return { outcome };
    if (outcome === 'conflict') return { outcome, session: this.#reader.recordOf(sessionId, stored) };
    return { outcome: 'ended', session: this.#reader.tombstoneOf(sessionId, stored) };
  }
}

function escaped(text: string | undefined): string | null {
  return text === undefined ? null : escapeText(text);
}
