import { v7 as uuidv7 } from 'uuid';
import { isSessionId } from '../../model/session-id.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import type {
  CreateSession,
  CreateSessionResult,
  EndAllSessions,
  EndSession,
  EndSessionResult,
  ListLogins,
  LoginPage,
  ReplaceSession,
  ReplaceSessionResult,
  RotateSession,
  RotateSessionResult,
  SessionCounts,
  SessionTimes,
  SessionWriteRefusal,
  StorageHealth,
  SweepSessions,
} from '../session-storage.operations.js';
import { SessionStorage } from '../session-storage.js';
import type { StorageChangeListener } from '../storage-change.js';
import { packCursor, unpackCursor } from './login-cursor.js';
import { PostgresConnections } from './postgres-connections.js';
import { PostgresServiceCredentialStorage } from './postgres-service-credential-storage.js';
import { type PostgresSessionStorageOptions, resolvePostgresOptions } from './postgres-session-storage.options.js';
import { escapeText, unescapeText } from './records/escaped-text.js';
import { RowReader } from './records/row-reader.js';
import { SchemaNames } from './schema/schema-names.js';
import { PostgresSessionReader } from './postgres-session-reader.js';
import { SessionSweep } from './session-sweep.js';
import { SessionTouch } from './session-touch.js';
import { countSessionsStatement } from './statements/count-sessions.statement.js';
import { createSessionStatement } from './statements/create-session.statement.js';
import { endLoginSessionsStatement } from './statements/end-login-sessions.statement.js';
import { endSessionStatement } from './statements/end-session.statement.js';
import { listLoginsStatement } from './statements/list-logins.statement.js';
import { replaceSessionStatement } from './statements/replace-session.statement.js';
import { rotateSessionStatement } from './statements/rotate-session.statement.js';

/**
 * Sessions in PostgreSQL 14 or later. `docs/postgres.md` says what is guaranteed, and how.
 *
 * @example
 * DistributedSessionModule.forRoot({
 *   serviceId: 'orders',
 *   storage: new PostgresSessionStorage({ url: 'postgres://sessions:password@localhost:5432/sessions' }),
 * });
 */
export class PostgresSessionStorage extends SessionStorage {
  readonly services: PostgresServiceCredentialStorage;
  readonly #gateway: PostgresConnections;
  readonly #reader: PostgresSessionReader;
  readonly #sweep: SessionSweep;
  readonly #touch: SessionTouch;

  /** Throws an `OptionsError` that names every fault of the options. Nothing is opened before `connect()`. */
  constructor(options: PostgresSessionStorageOptions) {
    super();
    const resolved = resolvePostgresOptions(options);
    this.#gateway = new PostgresConnections(resolved, new SchemaNames(resolved.schema, resolved.tablePrefix));
    this.#reader = new PostgresSessionReader(this.#gateway);
    this.#sweep = new SessionSweep(this.#gateway);
    this.#touch = new SessionTouch(this.#gateway);
    this.services = new PostgresServiceCredentialStorage(this.#gateway);
  }

  async connect(): Promise<void> {
    await this.#gateway.connect();
  }

  async close(): Promise<void> {
    await this.#gateway.close();
  }

  async ping(): Promise<StorageHealth> {
    return this.#gateway.ping();
  }

  now(): number {
    return this.#gateway.clock.now();
  }

  /** Ordered by time (UUID version 7), so that new rows are neighbours in the index. */
  nextSessionId(): string {
    return uuidv7();
  }

  async create(creation: CreateSession): Promise<CreateSessionResult> {
    const { sessionId, loginId, device, by, payload, limits, historyRetentionMs } = creation;
    const reply = await this.#gateway.writeOne(createSessionStatement, {
      sessionId,
      loginId: escapeText(loginId),
      by: escapeText(by),
      device: escaped(device),
      idleMs: creation.idleTimeoutMs ?? null,
      absoluteMs: creation.absoluteTimeoutMs ?? null,
      payload,
      perLogin: limits.perLogin,
      perDevice: limits.perDevice ?? null,
      onLimit: limits.onLimit,
      retentionMs: historyRetentionMs,
    });
    const outcome = reply.text();
    if (outcome === 'id-taken') return { outcome };
    if (outcome !== 'created')
      return { outcome: 'limit-reached', scope: outcome === 'limit-login' ? 'login' : 'device' };
    return { outcome, session: this.#written(sessionId, reply, payload) };
  }

  async get(sessionId: string): Promise<StoredSession | undefined> {
    return isSessionId(sessionId) ? this.#reader.find(sessionId) : undefined;
  }

  async replace(change: ReplaceSession): Promise<ReplaceSessionResult> {
    const { sessionId, expectedVersion, payload, touch, by } = change;
    if (!isSessionId(sessionId)) return { outcome: 'missing' };
    const values = { sessionId, expectedVersion, payload, touch, by: escapeText(by) };
    const reply = await this.#gateway.writeOne(replaceSessionStatement, values);
    const outcome = reply.text();
    if (outcome !== 'replaced') return this.#refusal(sessionId, outcome, reply);
    return { outcome, session: this.#written(sessionId, reply, payload) };
  }

  async touch(sessionIds: readonly string[]): Promise<readonly (SessionTimes | undefined)[]> {
    const times = await this.#touch.run(sessionIds.filter((sessionId) => isSessionId(sessionId)));
    return sessionIds.map((sessionId) => times.get(sessionId));
  }

  async rotate(rotation: RotateSession): Promise<RotateSessionResult> {
    const { sessionId, expectedVersion, successor, graceMs, by, historyRetentionMs } = rotation;
    if (!isSessionId(sessionId)) return { outcome: 'missing' };
    const reply = await this.#gateway.writeOne(rotateSessionStatement, {
      sessionId,
      expectedVersion,
      successorId: successor.sessionId,
      payload: successor.payload,
      graceMs,
      by: escapeText(by),
      retentionMs: historyRetentionMs,
    });
    const outcome = reply.text();
    if (outcome === 'id-taken') return { outcome };
    if (outcome !== 'rotated') return this.#refusal(sessionId, outcome, reply);
    return { outcome, session: this.#written(successor.sessionId, reply, successor.payload) };
  }

  async end({ sessionId, reason, by, actor, historyRetentionMs }: EndSession): Promise<EndSessionResult> {
    if (!isSessionId(sessionId)) return { outcome: 'missing' };
    const reply = await this.#gateway.writeOne(endSessionStatement, {
      sessionId,
      reason,
      by: escapeText(by),
      actor: escaped(actor),
      retentionMs: historyRetentionMs,
    });
    const outcome = reply.text() as EndSessionResult['outcome'];
    if (outcome === 'missing') return { outcome };
    reply.whole();
    return { outcome, session: this.#reader.tombstoneOf(sessionId, reply) };
  }

  async endAll(ending: EndAllSessions): Promise<readonly SessionTombstone[]> {
    const { loginId, exceptSessionId, device, reason, by, actor, historyRetentionMs } = ending;
    const rows = await this.#gateway.write(endLoginSessionsStatement, {
      loginId: escapeText(loginId),
      exceptId: exceptSessionId !== undefined && isSessionId(exceptSessionId) ? exceptSessionId : null,
      device: escaped(device),
      reason,
      by: escapeText(by),
      actor: escaped(actor),
      retentionMs: historyRetentionMs,
    });
    return rows.map((row) => {
      const [sessionId] = row.slice(2);
      const reply = new RowReader(row.slice(2));
      return this.#reader.tombstoneOf(sessionId!, reply);
    });
  }

  async listByLogin(loginId: string): Promise<readonly SessionRecord[]> {
    return this.#reader.live(escapeText(loginId));
  }

  async listHistory(loginId: string): Promise<readonly SessionTombstone[]> {
    return this.#reader.history(escapeText(loginId));
  }

  async count(): Promise<SessionCounts> {
    const [row = []] = await this.#gateway.connection.run(countSessionsStatement, {});
    const counts = new RowReader(row);
    return { sessions: counts.whole(), logins: counts.whole() };
  }

  async listLogins({ limit, cursor }: ListLogins): Promise<LoginPage> {
    const after = cursor === undefined ? '' : unpackCursor(cursor);
    const rows = await this.#gateway.connection.run(listLoginsStatement, { after: escapeText(after), limit });
    const logins = rows.map((row) => {
      const entry = new RowReader(row);
      return { loginId: unescapeText(entry.text()), sessions: entry.whole() };
    });
    const last = logins.at(-1);
    return { logins, ...(last && logins.length === limit && { nextCursor: packCursor(last.loginId) }) };
  }

  async sweep(sweep: SweepSessions): Promise<number> {
    return this.#sweep.run(sweep);
  }

  changes(listener: StorageChangeListener): () => void {
    return this.#gateway.feed.subscribe(listener);
  }

  feedLagMs(): number {
    return this.#gateway.feed.lagMs();
  }

  /** The session that a write has left: the reply has all of it but the payload, which its caller has. */
  #written(sessionId: string, reply: RowReader, payload: Uint8Array): SessionRecord {
    reply.whole();
    return { ...this.#reader.recordOf(sessionId, reply), payload: new Uint8Array(payload) };
  }

  /** What a write met instead of a live session at the expected version. */
  #refusal(sessionId: string, outcome: string, reply: RowReader): SessionWriteRefusal {
    if (outcome === 'missing') return { outcome };
    reply.whole();
    if (outcome === 'conflict') return { outcome, session: this.#reader.recordOf(sessionId, reply) };
    return { outcome: 'ended', session: this.#reader.tombstoneOf(sessionId, reply) };
  }
}

function escaped(text: string | undefined): string | null {
  return text === undefined ? null : escapeText(text);
}
