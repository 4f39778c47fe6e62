import { expiredTombstone, asSeenAt } from '../session-lifetime.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import { StorageCorruptError } from '../../errors/storage.errors.js';
import { LoginSessions, endOf } from './login-sessions.js';
import type { RedisConnection, WriteReply } from './connection/redis-connection.js';
import { type UnpackedSession, unpackSession } from './records/stored-session.js';
import type { RedisConnections } from './redis-connections.js';
import { readLoginScript } from './scripts/read-login.script.js';
import type { Moment } from '../shared/server-clock.js';
import type { SessionKeys } from './session-keys.js';
import { unreadable } from './stored-value-errors.js';

/** The sessions of one login as they were at one moment. */
interface ReadLogin {
  readonly sessions: LoginSessions;
  readonly now: number;
}

/**
 * Reads sessions by native commands, which cost the server a third of a script, and judges by its clock as well as it
 * is known here. Where that does not decide whether a session had ended when it was read, the server is asked for
 * records and time at once: two processes never disagree about an end.
 */
export class RedisSessionReader {
  constructor(
    private readonly gateway: RedisConnections,
    private readonly keys: SessionKeys,
  ) {}

  async find(sessionId: string): Promise<StoredSession | undefined> {
    const { connection, clock } = this.gateway;
    const tag = this.keys.tagOfSession(sessionId);
    if (tag === undefined) return undefined;
    const asked = clock.moment();
    const value = (await connection.read('hget', this.keys.login(tag), sessionId)) as Buffer | null;
    if (value === null) return undefined;
    const unpacked = this.#unpack(sessionId, value);
    const answered = clock.moment();
    if (!fallsBetween(asked, endOf(unpacked), answered)) return seen(unpacked, answered.now);
    const exact = await this.#readExactly(connection, tag);
    const again = exact.sessions.find(sessionId);
    return again && seen(again, exact.now);
  }

  async live(loginId: string): Promise<SessionRecord[]> {
    const { sessions, now } = await this.read(this.keys.tagOfLogin(loginId));
    return sessions.live(loginId, now);
  }

  async history(loginId: string): Promise<SessionTombstone[]> {
    const { sessions, now } = await this.read(this.keys.tagOfLogin(loginId));
    return sessions.history(loginId, now);
  }

  /** All sessions under a tag. */
  async read(tag: string): Promise<ReadLogin> {
    const { connection, clock } = this.gateway;
    const key = this.keys.login(tag);
    const asked = clock.moment();
    const sessions = new LoginSessions(key, (await connection.read('hgetall', key)) as readonly Buffer[]);
    const answered = clock.moment();
    const isUndecided = sessions.ends.some((end) => fallsBetween(asked, end, answered));
    return isUndecided ? this.#readExactly(connection, tag) : { sessions, now: answered.now };
  }

  /** The record that a script found live. */
  recordOf(sessionId: string, { rest: [value] }: WriteReply): SessionRecord {
    return this.#unpack(sessionId, value!).session as SessionRecord;
  }

  /** The tombstone of what a script found ended, or due. Throws where it found nothing that can be read. */
  tombstoneOf(sessionId: string, { outcome, rest: [value] }: WriteReply): SessionTombstone {
    const { session } = this.#unpack(sessionId, value!);
    if (outcome === 'unreadable') throw this.#unreadable(sessionId, undefined);
    return session.state === 'ended' ? session : expiredTombstone(session);
  }

  async #readExactly(connection: RedisConnection, tag: string): Promise<ReadLogin> {
    const login = this.keys.login(tag);
    const reply = await connection.run(readLoginScript, { login }, {});
    const [now, fields] = reply as readonly [number, readonly Buffer[]];
    return { sessions: new LoginSessions(login, fields), now };
  }

  #unpack(sessionId: string, value: Buffer): UnpackedSession {
    let unpacked: UnpackedSession;
    try {
      unpacked = unpackSession(value);
    } catch (error) {
      throw this.#unreadable(sessionId, error);
    }
    // A reply that belongs to another request is never data (CWE-488).
    if (unpacked.session.sessionId === sessionId) return unpacked;
    throw new StorageCorruptError(`Redis answered with another session than ${sessionId}, which was asked for.`);
  }

  #unreadable(sessionId: string, error: unknown): StorageCorruptError {
    return unreadable(`Session ${sessionId}`, this.keys.login(this.keys.tagOfSession(sessionId)!), sessionId, error);
  }
}

/**
 * Whether the end of a session falls into the time in which the server answered, or so close to it that the clock does
 * not decide. What had ended before was over when it was read. What ends later lives. What ended in between may have
 * been kept alive after it was read.
 */
function fallsBetween(asked: Moment, end: number, answered: Moment): boolean {
  return asked.earliest <= end && end <= answered.latest;
}

/** A session as it may be seen at `now`: a due one as its tombstone, one that is past its history not at all. */
function seen({ session, forgetAt }: UnpackedSession, now: number): StoredSession | undefined {
  return session.state === 'ended' && !(now < forgetAt) ? undefined : asSeenAt(session, now);
}
