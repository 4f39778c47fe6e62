import type { SessionHeader, SessionHistoryEntry } from '../model/session.js';

/** A live session, as a storage keeps it. */
export interface SessionRecord extends SessionHeader {
  readonly state: 'live';
  /** How long the session outlives an access, in milliseconds. Absent: idleness does not end it. */
  readonly idleTimeoutMs?: number;
  /** When the session ends by itself: the earlier of the idle and the absolute end. It is refused from this very millisecond on. */
  readonly expiresAt: number;
  /** The end that no access moves. Absent: only idleness ends it. */
  readonly absoluteExpiresAt?: number;
  /** Token digest, attributes and client information, packed by the manager. The storage never looks inside. */
  readonly payload: Uint8Array;
}

/** What remains of a session that has ended: enough to explain why, nothing to revive it with. */
export interface SessionTombstone extends SessionHeader, SessionHistoryEntry {
  readonly state: 'ended';
  /** Until when the old credential may still be followed to `rotatedTo`. Only with `rotatedTo`. */
  readonly graceEndsAt?: number;
}

/** What a storage knows under a session id. */
export type StoredSession = SessionRecord | SessionTombstone;
