import { SessionNotFoundError } from '../errors/session.errors.js';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { SessionHistoryEntry } from '../model/session.js';
import type { SessionTombstone } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { ListLogins, LoginPage, SessionCounts } from '../storage/session-storage.operations.js';
import { type OpenSession, endedError, openLive, openSession, readSession, toHistoryEntry } from './open-session.js';
import { followRotation } from './rotation-grace.js';
import { matchesDigest, parseCredential } from './session-credential.js';
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
  constructor(
    private readonly storage: SessionStorage,
    private readonly touches: TouchQueue,
    /** Is called when the credential of an ended session is presented. */
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
   * the new one. A wrong token and an unknown session cause the same error.
   */
  async verify(credential: unknown, options?: ReadOptions): Promise<OpenSession> {
    const { sessionId, token } = parseCredential(credential);
    const named = await readSession(this.storage, sessionId);
    if (!named) throw new SessionNotFoundError(sessionId);
    const stored = await followRotation(this.storage, named);
    if (stored.state === 'ended') {
      this.onLateUse(stored);
      throw endedError(stored, sessionId);
    }
    const open = openSession(stored);
    const digest = digestFor(sessionId, open);
    if (digest === undefined || !matchesDigest(token, digest)) throw new SessionNotFoundError(sessionId);
    return this.#touched(open, options);
  }

  /**
   * Returns the session that a credential names. Unlike {@link verify}, it does not follow a rotation, even during the
   * grace period, and does not count as an access.
   */
  async verifyCurrent(credential: unknown): Promise<OpenSession> {
    const { sessionId, token } = parseCredential(credential);
    const stored = await readSession(this.storage, sessionId);
    if (!stored) throw new SessionNotFoundError(sessionId);
    if (stored.state === 'ended') {
      this.onLateUse(stored);
      throw endedError(stored);
    }
    const open = openSession(stored);
    if (!matchesDigest(token, open.payload.tokenDigest)) throw new SessionNotFoundError(sessionId);
    return open;
  }

  /** Returns the live sessions of a user in order of creation. It does not count as an access. */
  async list(loginId: string): Promise<readonly OpenSession[]> {
    const records = await this.storage.listByLogin(loginId);
    if (records.every((record) => record.loginId === loginId)) return records.map(openSession);
    throw new StorageCorruptError("The storage returned another user's session.");
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

  #touched(open: OpenSession, { touch = true }: ReadOptions = {}): OpenSession {
    if (touch) this.touches.add(open.record);
    return open;
  }
}

function digestFor(sessionId: string, { record, payload }: OpenSession): string | undefined {
  if (record.sessionId === sessionId) return payload.tokenDigest;
  return payload.predecessors.find((predecessor) => predecessor.sessionId === sessionId)?.tokenDigest;
}
