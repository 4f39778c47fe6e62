import { Logger } from '@nestjs/common';
import { asSeenAt } from '../session-lifetime.js';
import type { SessionRecord, SessionTombstone } from '../session-record.js';
import { HISTORY_LIMIT } from '../session-storage.js';
import { type UnpackedSession, unpackSession } from './records/stored-session.js';
import { unreadable } from './stored-value-errors.js';

/** The sessions under one tag as they were read, to be seen at one moment. */
export class LoginSessions {
  static readonly #logger = new Logger('RedisSessionStorage');
  readonly #all: readonly UnpackedSession[];

  /** @param fields field, value, field, value, as `HGETALL` answers. One that cannot be read is reported and left out. */
  constructor(key: string, fields: readonly Buffer[]) {
    const all: UnpackedSession[] = [];
    for (let at = 0; at < fields.length; at += 2) {
      const field = fields[at]!.toString();
      try {
        const unpacked = unpackSession(fields[at + 1]!);
        if (unpacked.session.sessionId !== field) throw new RangeError('The value of another session');
        all.push(unpacked);
      } catch (error) {
        LoginSessions.#logger.error(unreadable(`Session ${field}`, key, field, error).message);
      }
    }
    this.#all = all;
  }

  /** When each session ends, or is forgotten. */
  get ends(): readonly number[] {
    return this.#all.map(endOf);
  }

  find(sessionId: string): UnpackedSession | undefined {
    return this.#all.find(({ session }) => session.sessionId === sessionId);
  }

  /** The live sessions of a login, in the order of their creation. */
  live(loginId: string, now: number): SessionRecord[] {
    return this.#all
      .filter(({ session }) => session.loginId === loginId && asSeenAt(session, now).state === 'live')
      .toSorted((a, b) => a.place - b.place)
      .map(({ session }) => session as SessionRecord);
  }

  /** The tombstones of a login, the last ended first, with those that the next sweep will write. */
  history(loginId: string, now: number): SessionTombstone[] {
    return this.#all
      .filter(({ session, forgetAt }) => session.loginId === loginId && now < forgetAt)
      .map(({ session, place }) => ({ session: asSeenAt(session, now), place, claimed: session.state === 'ended' }))
      .filter((entry): entry is typeof entry & { session: SessionTombstone } => entry.session.state === 'ended')
      .toSorted(
        (a, b) => b.session.endedAt - a.session.endedAt || Number(a.claimed) - Number(b.claimed) || b.place - a.place,
      )
      .slice(0, HISTORY_LIMIT)
      .map(({ session }) => session);
  }

  /** How many live sessions each login under this tag has; as good as always there is one. */
  onlineLogins(now: number): { loginId: string; sessions: number }[] {
    const counts = new Map<string, number>();
    for (const { session } of this.#all) {
      if (asSeenAt(session, now).state !== 'live') continue;
      counts.set(session.loginId, (counts.get(session.loginId) ?? 0) + 1);
    }
    return [...counts].map(([loginId, sessions]) => ({ loginId, sessions }));
  }
}

/** From when on a session is no longer what it is now: a live one ends, an ended one is forgotten. */
export function endOf({ session, forgetAt }: UnpackedSession): number {
  return session.state === 'live' ? session.expiresAt : forgetAt;
}
