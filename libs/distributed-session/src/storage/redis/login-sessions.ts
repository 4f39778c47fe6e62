import { Logger } from '@nestjs/common';
import { asSeenAt } from '../session-lifetime.js';
import type { SessionRecord, SessionTombstone } from '../session-record.js';
import { HISTORY_LIMIT } from '../session-storage.js';
import { type UnpackedRedisSession, unpackRedisSession } from './records/stored-session.js';
import { unreadable } from './stored-value-errors.js';

/** The sessions under one tag, as they were read. */
export class LoginSessions {
  static readonly #logger = new Logger('RedisSessionStorage');
  readonly #all: readonly UnpackedRedisSession[];

  /** @param fields - Field, value, field, value, as `HGETALL` returns them. Unreadable values are logged and skipped. */
  constructor(key: string, fields: readonly Buffer[]) {
    const all: UnpackedRedisSession[] = [];
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

  find(sessionId: string): UnpackedRedisSession | undefined {
    return this.#all.find(({ session }) => session.sessionId === sessionId);
  }

  /** Returns a user's live sessions in the order of their creation. */
  live(loginId: string, now: number): SessionRecord[] {
    return this.#all
      .filter(({ session }) => session.loginId === loginId && asSeenAt(session, now).state === 'live')
      .toSorted((a, b) => a.place - b.place)
      .map(({ session }) => session as SessionRecord);
  }

  /** Returns a user's tombstones, the last ended first, including those of due sessions that were not swept yet. */
  history(loginId: string, now: number): SessionTombstone[] {
    return this.#all
      .filter(({ session, forgetAt }) => session.loginId === loginId && now < forgetAt)
      .map(({ session, place }) => ({ session: asSeenAt(session, now), place, isSwept: session.state === 'ended' }))
      .filter((entry): entry is typeof entry & { session: SessionTombstone } => entry.session.state === 'ended')
      .toSorted(
        (a, b) => b.session.endedAt - a.session.endedAt || Number(a.isSwept) - Number(b.isSwept) || b.place - a.place,
      )
      .slice(0, HISTORY_LIMIT)
      .map(({ session }) => session);
  }

  /** Counts the live sessions of each user under this tag. A tag has almost always one user. */
  onlineLogins(now: number): { loginId: string; sessions: number }[] {
    const counts = new Map<string, number>();
    for (const { session } of this.#all) {
      if (asSeenAt(session, now).state !== 'live') continue;
      counts.set(session.loginId, (counts.get(session.loginId) ?? 0) + 1);
    }
    return [...counts].map(([loginId, sessions]) => ({ loginId, sessions }));
  }
}

/** When the session's state changes next: a live session expires, a tombstone is purged. */
export function endOf({ session, forgetAt }: UnpackedRedisSession): number {
  return session.state === 'live' ? session.expiresAt : forgetAt;
}
