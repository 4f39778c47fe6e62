import { ENDED_BY_EXPIRY } from '../model/end-reason.js';
import type { SessionRecord, SessionTombstone, StoredSession } from './session-record.js';

/** Returns whether a session is due at `now`. A time that is not a number makes it due, too (CWE-613). */
export function isDue(session: SessionRecord, now: number): boolean {
  return !(now < session.expiresAt);
}

/** Returns when a session expires: the earlier of the idle and the absolute end. */
export function expiryOf(lastAccessedAt: number, idleTimeoutMs?: number, absoluteExpiresAt?: number): number {
  const idleEnd = idleTimeoutMs === undefined ? Infinity : lastAccessedAt + idleTimeoutMs;
  return Math.min(idleEnd, absoluteExpiresAt ?? Infinity);
}

/** Returns the session after an access at `now`. An access never moves a time back, and never moves the absolute end. */
export function withAccess(session: SessionRecord, now: number): SessionRecord {
  const lastAccessedAt = Math.max(session.lastAccessedAt, now);
  const expiresAt = expiryOf(lastAccessedAt, session.idleTimeoutMs, session.absoluteExpiresAt);
  return { ...session, lastAccessedAt, expiresAt };
}

type Ending = Pick<SessionTombstone, 'reason' | 'endedAt' | 'endedBy' | 'actor' | 'rotatedTo' | 'graceEndsAt'>;

/** Returns the tombstone of a session: its header, token digest and end, without its payload and its timeouts. */
export function toTombstone(session: SessionRecord, ending: Ending): SessionTombstone {
  const { sessionId, loginId, serviceId, device, version, createdAt, lastAccessedAt, tokenDigest } = session;
  const { reason, endedAt, endedBy, actor, rotatedTo, graceEndsAt } = ending;
  return {
    state: 'ended',
    sessionId,
    loginId,
    serviceId,
    ...(device !== undefined && { device }),
    version,
    createdAt,
    lastAccessedAt,
    ...(tokenDigest !== undefined && { tokenDigest }),
    reason,
    endedAt,
    endedBy,
    ...(actor !== undefined && { actor }),
    ...(rotatedTo !== undefined && { rotatedTo, graceEndsAt: graceEndsAt ?? endedAt }),
  };
}

/** Returns the tombstone of a due session: the same in every process and at any later time. */
export function expiredTombstone(session: SessionRecord): SessionTombstone {
  const absolute = session.absoluteExpiresAt !== undefined && !(session.expiresAt < session.absoluteExpiresAt);
  return toTombstone(session, {
    reason: absolute ? 'absolute-timeout' : 'idle-timeout',
    endedAt: session.expiresAt,
    endedBy: ENDED_BY_EXPIRY,
  });
}

/** Returns the stored session as a reader sees it at `now`: a due session reads as its tombstone. */
export function asSeenAt(stored: StoredSession, now: number): StoredSession {
  return stored.state === 'live' && isDue(stored, now) ? expiredTombstone(stored) : stored;
}
