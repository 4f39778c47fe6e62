import { v4 as uuidv4 } from 'uuid';
import { type Clock, systemClock } from '../../model/clock.js';
import { IsWholeNumber, optionRule } from '../../options/option-rules.js';
import { validateOptions } from '../../options/validate-options.js';
import { planAdmission } from '../session-admission.js';
import { asSeenAt, expiryOf, isDue, withAccess } from '../session-lifetime.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import type * as Op from '../session-storage.operations.js';
import { SessionStorage } from '../session-storage.js';
import type { StorageChangeListener } from '../storage-change.js';
import { ChangeListeners } from '../shared/change-listeners.js';
import { historyOf } from '../shared/session-entry.js';
import { closedStorage } from '../shared/storage-failure.js';
import { InMemoryServiceCredentialStorage } from './in-memory-service-credential-storage.js';
import { changeOf, copyOf, isLive } from './in-memory-session-entry.js';
import { verifyClock } from './verify-clock.js';
import { InMemorySessionTable } from './in-memory-session-table.js';

export interface InMemorySessionStorageOptions {
  /**
   * The clock that all times are read from.
   *
   * @default the system clock
   */
  readonly clock?: Clock;
  /**
   * Maximum number of live sessions, and of tombstones.
   *
   * @default 100_000
   */
  readonly maxSessions?: number;
}

class ResolvedInMemoryOptions implements Required<InMemorySessionStorageOptions> {
  @optionRule('isClock', (value) => typeof (value as Clock | null)?.now === 'function', 'must have a method now()')
  readonly clock: Clock = systemClock;

  @IsWholeNumber(1, Number.MAX_SAFE_INTEGER)
  readonly maxSessions: number = 100_000;
}

/**
 * Sessions in the memory of one process: for development, for tests, for applications of one process, and as the
 * storage contract in executable form. The sessions end with the process.
 *
 * @example
 * DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() });
 */
export class InMemorySessionStorage extends SessionStorage {
  readonly #clock: Clock;
  readonly #maxSessions: number;
  readonly #feed = new ChangeListeners();
  readonly #table: InMemorySessionTable;
  readonly services: InMemoryServiceCredentialStorage;
  #owners = 0;
  #closed = false;

  /** @throws {OptionsError} when an option is unknown or invalid. */
  constructor(options: InMemorySessionStorageOptions = {}) {
    super();
    const { clock, maxSessions } = validateOptions('InMemorySessionStorage', ResolvedInMemoryOptions, options);
    this.#clock = clock;
    this.#maxSessions = maxSessions;
    this.#table = new InMemorySessionTable(this.#feed, maxSessions);
    this.services = new InMemoryServiceCredentialStorage(this.#feed, () => this.#openNow());
  }

  /** @throws {OptionsError} when the clock does not return the time, or runs backwards. */
  async connect(): Promise<void> {
    verifyClock(this.#clock);
    this.#owners++;
    this.#closed = false;
  }

  async close(): Promise<void> {
    this.#owners = Math.max(0, this.#owners - 1);
    this.#closed = this.#owners === 0;
  }

  async ping(): Promise<Op.StorageHealth> {
    const writable = this.#table.countLive(this.#openNow()).sessions < this.#maxSessions;
    return { writable, notes: writable ? [] : [`holds its maximum of ${this.#maxSessions} sessions`] };
  }

  now(): number {
    return this.#clock.now();
  }

  nextSessionId(): string {
    return uuidv4();
  }

  async create(creation: Op.CreateSession): Promise<Op.CreateSessionResult> {
    const { sessionId, loginId, by, device, idleTimeoutMs, absoluteTimeoutMs } = creation;
    const { tokenDigest, limits, historyRetentionMs } = creation;
    const now = this.#openNow();
    if (this.#table.has(sessionId)) return { outcome: 'id-taken' };
    const login = this.#table.login(loginId);
    for (const due of login?.dueAt(now) ?? []) this.#table.expire(due, historyRetentionMs);
    const live = login?.liveAt(now) ?? [];
    const admission = planAdmission(live, (entry) => entry.session, limits, device);
    if ('refused' in admission) return { outcome: 'limit-reached', scope: admission.refused };
    this.#table.assertRoom(now, admission.displaced.length, historyRetentionMs);
    for (const { item, reason } of admission.displaced) {
      this.#table.end(item, { reason, endedAt: now, endedBy: by }, historyRetentionMs);
    }
    const absoluteExpiresAt = absoluteTimeoutMs === undefined ? undefined : now + absoluteTimeoutMs;
    const session: SessionRecord = {
      state: 'live',
      sessionId,
      loginId,
      serviceId: by,
      ...(device !== undefined && { device }),
      version: 1,
      createdAt: now,
      lastAccessedAt: now,
      ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
      expiresAt: expiryOf(now, idleTimeoutMs, absoluteExpiresAt),
      ...(absoluteExpiresAt !== undefined && { absoluteExpiresAt }),
      ...(tokenDigest !== undefined && { tokenDigest }),
      payload: new Uint8Array(creation.payload),
    };
    this.#table.add(session);
    this.#feed.publish({ type: 'session.created', ...changeOf(session, by, now) });
    return { outcome: 'created', session: copyOf(session) };
  }

  async get(sessionId: string): Promise<StoredSession | undefined> {
    const now = this.#openNow();
    const entry = this.#table.find(sessionId, now);
    return entry && copyOf(asSeenAt(entry.session, now));
  }

  async replace({
    sessionId,
    expectedVersion,
    tokenDigest,
    payload,
    by,
    touch,
  }: Op.ReplaceSession): Promise<Op.ReplaceSessionResult> {
    const now = this.#openNow();
    const found = this.#table.findAtVersion(sessionId, expectedVersion, now);
    if ('outcome' in found) return found;
    const touched = touch ? withAccess(found.session, now) : found.session;
    found.session = {
      ...touched,
      ...(tokenDigest !== undefined && { tokenDigest }),
      version: expectedVersion + 1,
      payload: new Uint8Array(payload),
    };
    this.#feed.publish({ type: 'session.updated', ...changeOf(found.session, by, now) });
    return { outcome: 'replaced', session: copyOf(found.session) };
  }

  async touch(sessionIds: readonly string[]): Promise<readonly (Op.SessionTimes | undefined)[]> {
    const now = this.#openNow();
    return sessionIds.map((sessionId) => {
      const entry = this.#table.find(sessionId, now);
      if (!entry || !isLive(entry) || isDue(entry.session, now)) return undefined;
      entry.session = withAccess(entry.session, now);
      const { lastAccessedAt, expiresAt } = entry.session;
      return { sessionId, lastAccessedAt, expiresAt };
    });
  }

  async rotate(rotation: Op.RotateSession): Promise<Op.RotateSessionResult> {
    const { sessionId, expectedVersion, successor, graceMs, by, actor, historyRetentionMs } = rotation;
    const now = this.#openNow();
    const found = this.#table.findAtVersion(sessionId, expectedVersion, now);
    if ('outcome' in found) return found;
    if (this.#table.has(successor.sessionId)) return { outcome: 'id-taken' };
    const { tokenDigest: _, ...kept } = withAccess(found.session, now);
    const session: SessionRecord = {
      ...kept,
      ...(successor.tokenDigest !== undefined && { tokenDigest: successor.tokenDigest }),
      sessionId: successor.sessionId,
      version: 1,
      payload: new Uint8Array(successor.payload),
    };
    this.#table.add(session, found);
    const rotated = { reason: 'rotated', rotatedTo: session.sessionId, graceEndsAt: now + graceMs } as const;
    this.#table.end(found, { ...rotated, endedAt: now, endedBy: by, actor }, historyRetentionMs);
    return { outcome: 'rotated', session: copyOf(session) };
  }

  async end({ sessionId, reason, by, actor, historyRetentionMs }: Op.EndSession): Promise<Op.EndSessionResult> {
    const now = this.#openNow();
    const entry = this.#table.find(sessionId, now);
    if (!entry) return { outcome: 'missing' };
    if (isLive(entry) && isDue(entry.session, now)) this.#table.expire(entry, historyRetentionMs);
    if (!isLive(entry)) return { outcome: 'already-ended', session: copyOf(entry.session as SessionTombstone) };
    const tombstone = this.#table.end(entry, { reason, endedAt: now, endedBy: by, actor }, historyRetentionMs);
    return { outcome: 'ended', session: copyOf(tombstone) };
  }

  async endAll(ending: Op.EndAllSessions): Promise<readonly SessionTombstone[]> {
    const { loginId, exceptSessionId, device, reason, by, actor, historyRetentionMs } = ending;
    const now = this.#openNow();
    const login = this.#table.login(loginId);
    for (const due of login?.dueAt(now) ?? []) this.#table.expire(due, historyRetentionMs);
    return (login?.liveAt(now) ?? [])
      .filter(({ session }) => session.sessionId !== exceptSessionId)
      .filter(({ session }) => device === undefined || session.device === device)
      .map((entry) => this.#table.end(entry, { reason, endedAt: now, endedBy: by, actor }, historyRetentionMs))
      .map((tombstone) => copyOf(tombstone));
  }

  async listByLogin(loginId: string): Promise<readonly SessionRecord[]> {
    const now = this.#openNow();
    return (this.#table.login(loginId)?.liveAt(now) ?? []).map(({ session }) => copyOf(session));
  }

  async listHistory(loginId: string): Promise<readonly SessionTombstone[]> {
    const now = this.#openNow();
    const login = this.#table.login(loginId);
    if (!login) return [];
    const entries = [...login.ended, ...login.unended];
    return historyOf(entries.map((entry, place) => ({ ...entry, place, now }))).map(copyOf);
  }

  async count(): Promise<Op.SessionCounts> {
    return this.#table.countLive(this.#openNow());
  }

  async listLogins(page: Op.ListLogins): Promise<Op.LoginPage> {
    return this.#table.directory.page(page, this.#openNow());
  }

  async sweep({ limit, historyRetentionMs }: Op.SweepSessions): Promise<number> {
    return this.#table.sweep(this.#openNow(), limit, historyRetentionMs);
  }

  changes(listener: StorageChangeListener): () => void {
    return this.#feed.subscribe(listener);
  }

  feedLagMs(): number {
    return 0;
  }

  #openNow(): number {
    if (this.#closed) throw closedStorage('in-memory');
    return this.#clock.now();
  }
}
