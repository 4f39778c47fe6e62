import { type SessionEndedError, SessionNotFoundError } from '../errors/session.errors.js';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { SessionHistoryEntry } from '../model/session.js';
import type { ListedRecord, SessionTombstone, StoredSession } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { ListLogins, LoginPage, SessionCounts } from '../storage/session-storage.operations.js';
import { DecodingTurns } from './decoding-turns.js';
import type { OpenedEntry } from './listed-session.js';
import {
  type OpenSession,
  endedError,
  openLive,
  openSession,
  readSession,
  toHistoryEntry,
  tokenDigestOf,
} from './open-session.js';
import { followRotation, successorOf } from './rotation-grace.js';
import { parseCredential } from './session-credential.js';
import type { TokenDigests } from './token-digests.js';
import type { TouchQueue } from './touch-queue.js';

/** The options of a read. */
export interface ReadOptions {
  /**
   * Whether the read counts as an access that keeps the session alive. Monitoring passes `false`.
   *
   * @default true
   */
  readonly touch?: boolean;
}

/** Reads sessions by id, by credential and by user, and counts them. */
export class SessionReader {
  readonly #turns = new DecodingTurns();

  constructor(
    private readonly storage: SessionStorage,
    private readonly touches: TouchQueue,
    private readonly digests: TokenDigests,
    /** Is called when the owner of an ended session presents its credential. */
    private readonly onLateUse: (tombstone: SessionTombstone) => void,
  ) {}

  async find(sessionId: string, options?: ReadOptions): Promise<OpenSession | undefined> {
    const stored = await readSession(this.storage, sessionId);
    return stored?.state === 'live' ? this.#touched(openSession(stored), options) : undefined;
  }

  async get(sessionId: string, options?: ReadOptions): Promise<OpenSession> {
    return this.#touched(openLive(await readSession(this.storage, sessionId), sessionId), options);
  }

  /** Records an access immediately, regardless of the touch interval, and returns the session after it. */
  async refresh(sessionId: string): Promise<OpenSession> {
    await this.storage.touch([sessionId]);
    return this.get(sessionId, { touch: false });
  }

  /**
   * Returns the session of a credential. During the grace period, the previous credential of a rotated session returns
   * the new one. A wrong token and an unknown session cause the same error after the same work, whether the session is
   * live or has ended.
   */
  async verify(credential: unknown, options?: ReadOptions): Promise<OpenSession> {
    const { sessionId, token } = parseCredential(credential);
    const named = await readSession(this.storage, sessionId);
    if (!this.#isOwner(sessionId, token, named)) throw new SessionNotFoundError(sessionId);
    const stored = await followRotation(this.storage, named);
    if (stored.state === 'ended') throw this.#lateUse(stored, sessionId);
    return this.#touched(openSession(stored), options);
  }

  /**
   * Returns the session that a credential names. Unlike {@link verify}, it does not follow a rotation, even during the
   * grace period, and does not count as an access.
   */
  async verifyCurrent(credential: unknown): Promise<OpenSession> {
    const { sessionId, token } = parseCredential(credential);
    const stored = await readSession(this.storage, sessionId);
    if (!this.#isOwner(sessionId, token, stored)) throw new SessionNotFoundError(sessionId);
    if (stored.state === 'ended') throw this.#lateUse(stored, sessionId);
    return openSession(stored);
  }

  /**
   * Returns a view of each live session of a user in order of creation, as they were when the storage was read, also of
   * those that cannot be read. It does not count as an access.
   */
  async list<T>(loginId: string, view: (entry: OpenedEntry) => T): Promise<readonly T[]> {
    return this.#turns.open(await this.#recordsOf(loginId), view);
  }

  /** Counts the live sessions of a user without decoding them. */
  async countOf(loginId: string): Promise<number> {
    return (await this.#recordsOf(loginId)).length;
  }

  /** Returns the ended sessions of a user, the most recent first. */
  async history(loginId: string): Promise<readonly SessionHistoryEntry[]> {
    return (await this.storage.listHistory(loginId)).map(toHistoryEntry);
  }

  async count(): Promise<SessionCounts> {
    return this.storage.count();
  }

  async listLogins(page: ListLogins): Promise<LoginPage> {
    return this.storage.listLogins(page);
  }

  async #recordsOf(loginId: string): Promise<readonly ListedRecord[]> {
    const records = await this.storage.listByLogin(loginId);
    if (records.every((record) => record.loginId === loginId)) return records;
    throw new StorageCorruptError("The storage returned another user's session.");
  }

  /** Returns whether the token is that of the stored session. Takes the same time if there is none. */
  #isOwner(sessionId: string, token: string, stored: StoredSession | undefined): stored is StoredSession {
    return this.digests.matches(sessionId, token, stored && this.#comparableDigest(stored));
  }

  #lateUse(tombstone: SessionTombstone, sessionId: string): SessionEndedError {
    this.onLateUse(tombstone);
    return endedError(tombstone, sessionId);
  }

  /** Returns the digest to compare with. None for a session that is over and whose key was retired: it stays unknown. */
  #comparableDigest(stored: StoredSession): string | undefined {
    const digest = tokenDigestOf(stored);
    const isOver = stored.state === 'ended' && successorOf(stored, this.storage.now()) === undefined;
    return isOver && digest !== undefined && !this.digests.isKnown(stored.sessionId, digest) ? undefined : digest;
  }

  #touched(open: OpenSession, { touch = true }: ReadOptions = {}): OpenSession {
    if (touch) this.touches.add(open.record);
    return open;
  }
}
