import { Logger } from '@nestjs/common';
import type { SessionRecord, SessionTombstone } from '../session-record.js';
import { type SessionEntry, type TimedEntry, historyOf, liveOf, visibleAt } from '../shared/session-entry.js';
import { unpackRedisSession } from './records/stored-session.js';
import { unreadable } from './stored-value-errors.js';

/** The sessions under one tag, as they were read. */
export class LoginSessions {
  static readonly #logger = new Logger('RedisSessionStorage');
  readonly #all: readonly SessionEntry[];

  /** @param fields - Field, value, field, value, as `HGETALL` returns them. Unreadable values are logged and skipped. */
  constructor(key: string, fields: readonly Buffer[]) {
    const all: SessionEntry[] = [];
    for (let at = 0; at < fields.length; at += 2) {
      const field = fields[at]!.toString();
      try {
        const unpacked = unpackRedisSession(fields[at + 1]!);
        if (unpacked.session.sessionId !== field) throw new RangeError('The value belongs to another session');
        all.push(unpacked);
      } catch (error) {
        LoginSessions.#logger.error(unreadable(`Session ${field}`, key, field, error).message);
      }
    }
    this.#all = all;
  }

  /** When each session expires, or its tombstone is purged. */
  get ends(): readonly number[] {
    return this.#all.map(endOf);
  }

  find(sessionId: string): SessionEntry | undefined {
    return this.#all.find(({ session }) => session.sessionId === sessionId);
  }

  /** Returns a user's live sessions in the order of their creation. */
  listLive(loginId: string, now: number): SessionRecord[] {
    return liveOf(this.#entriesOf(loginId, now));
  }

  /** Returns a user's tombstones, the last ended first. A due session past its retention has none, swept or not. */
  listHistory(loginId: string, now: number): SessionTombstone[] {
    return historyOf(this.#entriesOf(loginId, now).filter(({ purgeAt }) => now < purgeAt));
  }

  /** Counts the live sessions of each user under this tag. A tag has almost always one user. */
  onlineLogins(now: number): { loginId: string; sessions: number }[] {
    const counts = new Map<string, number>();
    for (const entry of this.#all) {
      if (visibleAt(entry, now)?.state !== 'live') continue;
      const { loginId } = entry.session;
      counts.set(loginId, (counts.get(loginId) ?? 0) + 1);
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
