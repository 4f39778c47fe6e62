import { ENDED_BY_EXPIRY } from '../model/end-reason.js';
import type { SessionRecord, SessionTombstone, StoredSession } from './session-record.js';

/** Whether time has ended a session. Written so that a time that is not a number ends it too (CWE-613). */
export function isDue(session: SessionRecord, now: number): boolean {
  return !(now < session.expiresAt);
}

/** When a session ends that was last accessed at `lastAccessedAt`: the earlier of the idle and the absolute end. */
export function expiryOf(lastAccessedAt: number, idleTimeoutMs?: number, absoluteExpiresAt?: number): number {
  const idleEnd = idleTimeoutMs === undefined ? Infinity : lastAccessedAt + idleTimeoutMs;
  return Math.min(idleEnd, absoluteExpiresAt ?? Infinity);
}

/** The session after an access now. An access never moves a time back, and never moves the absolute end. */
export function withAccess(session: SessionRecord, now: number): SessionRecord {
  const lastAccessedAt = Math.max(session.lastAccessedAt, now);
  const expiresAt = expiryOf(lastAccessedAt, session.idleTimeoutMs, session.absoluteExpiresAt);
  return { ...session, lastAccessedAt, expiresAt };
}

type Ending = Pick<SessionTombstone, 'reason' | 'endedAt' | 'endedBy' | 'actor' | 'rotatedTo' | 'graceEndsAt'>;

/** The tombstone of a session: its header and how it ended, without its payload and its timeouts. */
export function toTombstone(session: SessionRecord, ending: Ending): SessionTombstone {
  const { sessionId, loginId, serviceId, device, version, createdAt, lastAccessedAt } = session;
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
    reason,
    endedAt,
    endedBy,
    ...(actor !== undefined && { actor }),
    ...(rotatedTo !== undefined && { rotatedTo, graceEndsAt: graceEndsAt ?? endedAt }),
  };
}

/** The tombstone of a session that time has ended, the same whoever notices and whenever. */
export function expiredTombstone(session: SessionRecord): SessionTombstone {
  const absolute = session.absoluteExpiresAt !== undefined && !(session.expiresAt < session.absoluteExpiresAt);
  return toTombstone(session, {
    reason: absolute ? 'absolute-timeout' : 'idle-timeout',
    endedAt: session.expiresAt,
    endedBy: ENDED_BY_EXPIRY,
  });
}

/** What is stored as a reader may see it at `now`: a due session reads as its tombstone. */
export function asSeenAt(stored: StoredSession, now: number): StoredSession {
  return stored.state === 'live' && isDue(stored, now) ? expiredTombstone(stored) : stored;
}
