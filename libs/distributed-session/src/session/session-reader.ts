import { SessionNotFoundError } from '../errors/session.errors.js';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { SessionTombstone } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import { type OpenSession, endedError, openLive, openSession } from './open-session.js';
import { matchesDigest, parseCredential } from './session-credential.js';
import { followRotation, readSession } from './rotation-grace.js';
import type { TouchQueue } from './touch-queue.js';

export interface ReadOptions {
  /** Whether the read counts as an access that keeps the session alive. Default true; monitoring passes false. */
  readonly touch?: boolean;
}

/** Reads sessions by id and by credential. */
export class SessionReader {
  constructor(
    private readonly storage: SessionStorage,
    private readonly touches: TouchQueue,
    /** Is told when somebody presents the credential of a session that has ended. */
    private readonly onLateUse: (tombstone: SessionTombstone) => void,
  ) {}

  async find(sessionId: string, options?: ReadOptions): Promise<OpenSession | undefined> {
    const stored = await readSession(this.storage, sessionId);
    return stored?.state === 'live' ? this.#used(openSession(stored), options) : undefined;
  }

  async get(sessionId: string, options?: ReadOptions): Promise<OpenSession> {
    return this.#used(openLive(await readSession(this.storage, sessionId), sessionId), options);
  }

  /** Records an access now, whatever the interval, and returns the session after it. */
  async refresh(sessionId: string): Promise<OpenSession> {
    await this.storage.touch([sessionId]);
    return this.get(sessionId, { touch: false });
  }

  /** The sessions of a login. Looking at them is no access. */
  async listByLogin(loginId: string): Promise<OpenSession[]> {
    const records = await this.storage.listByLogin(loginId);
    if (records.every((record) => record.loginId === loginId)) return records.map(openSession);
    throw new StorageCorruptError('The storage answered with a session of another login than the one asked for.');
  }

  /**
   * The session that a credential proves. A credential that was rotated away is followed while its grace lasts, if
   * its token is the one that was rotated away. A wrong token and an unknown session are the same answer.
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
    return this.#used(open, options);
  }

  #used(open: OpenSession, { touch = true }: ReadOptions = {}): OpenSession {
    if (touch) this.touches.note(open.record);
    return open;
  }
}

function digestFor(sessionId: string, { record, payload }: OpenSession): string | undefined {
  if (record.sessionId === sessionId) return payload.tokenDigest;
  return payload.predecessors.find((predecessor) => predecessor.sessionId === sessionId)?.tokenDigest;
}
