import { Logger } from '@nestjs/common';
import type { ListedRecord, SessionTombstone } from '../session-record.js';
import {
  FIRST_PLACE,
  type SessionEntry,
  type TimedEntry,
  type UnreadableEntry,
  historyOf,
  liveOf,
  visibleAt,
} from '../shared/session-entry.js';
import { type LostSession, lostSession, unpackRedisSession } from './records/stored-session.js';
import { unreadable } from './stored-value-errors.js';

/** The sessions under one tag, as they were read. */
export class LoginSessions {
  static readonly #logger = new Logger('RedisSessionStorage');
  readonly #all: readonly SessionEntry[];
  /** The live sessions whose records cannot be read, not even their times. */
  readonly #lost: readonly LostSession[];

  /** @param fields - Field, value, field, value, as `HGETALL` returns them. Values that are not valid are logged. */
  constructor(key: string, fields: readonly Buffer[]) {
    const all: SessionEntry[] = [];
    const lost: LostSession[] = [];
    for (let at = 0; at < fields.length; at += 2) {
      const [field, value] = [fields[at]!.toString(), fields[at + 1]!];
      try {
        const unpacked = unpackRedisSession(value);
        if (unpacked.session.sessionId !== field) throw new RangeError('The value belongs to another session');
        all.push(unpacked);
      } catch (error) {
        const found = lostSession(field, value);
        if (found) lost.push(found);
        if (!found?.isNewer) LoginSessions.#logger.error(unreadable(`Session ${field}`, key, field, error).message);
      }
    }
    this.#all = all;
    this.#lost = lost;
  }

  /** When each session expires, or its tombstone is purged. */
  get ends(): readonly number[] {
    return this.#all.map(endOf);
  }

  find(sessionId: string): SessionEntry | undefined {
    return this.#all.find(({ session }) => session.sessionId === sessionId);
  }

  /**
   * Returns a user's live sessions in the order of their creation, after those whose record cannot be read. One in which
   * no user can be read is this user's: a tag has almost always one user.
   */
  listLive(loginId: string, now: number): ListedRecord[] {
    const lost = this.#lost.filter(({ identity }) => (identity?.loginId ?? loginId) === loginId);
    const unreadables = lost.map(({ sessionId, isNewer, identity }): UnreadableEntry => {
      const cause = isNewer ? 'newer-format' : 'corrupt';
      return { place: FIRST_PLACE, record: { state: 'unreadable', cause, loginId, ...identity, sessionId } };
    });
    return liveOf(this.#entriesOf(loginId, now), unreadables);
  }

  /** Returns a user's tombstones, the last ended first. A due session past its retention has none, swept or not. */
  listHistory(loginId: string, now: number): SessionTombstone[] {
    return historyOf(this.#entriesOf(loginId, now).filter(({ purgeAt }) => now < purgeAt));
  }

  /** Counts the live sessions of each user under this tag. */
  onlineLogins(now: number): { loginId: string; sessions: number }[] {
    const counts = new Map<string, number>();
    const add = (loginId: string) => counts.set(loginId, (counts.get(loginId) ?? 0) + 1);
    for (const entry of this.#all) {
      if (visibleAt(entry, now)?.state === 'live') add(entry.session.loginId);
    }
    const anyLogin = this.#all[0]?.session.loginId;
    for (const { identity } of this.#lost) {
      const loginId = identity?.loginId ?? anyLogin;
      if (loginId !== undefined) add(loginId);
    }
    return [...counts].map(([loginId, sessions]) => ({ loginId, sessions }));
  }

  #entriesOf(loginId: string, now: number): TimedEntry[] {
    return this.#all.filter(({ session }) => session.loginId === loginId).map((entry) => ({ ...entry, now }));
  }
}

/** When the session's state changes next: a live session expires, a tombstone is purged. */
export function endOf({ session, purgeAt }: SessionEntry): number {
  return session.state === 'live' ? session.expiresAt : purgeAt;
}
