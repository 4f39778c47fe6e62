import type { EndReason } from '../session/end-reason.js';

/** What a live session and its tombstone have in common. All times are epoch milliseconds of the storage's clock. */
interface SessionHeader {
  /** A lower-case UUID (RFC 9562). It names the session and proves nothing. */
  readonly sessionId: string;
  /** Whose session it is. Any characters. */
  readonly loginId: string;
  /** The service that created it. */
  readonly serviceId: string;
  /** The device label given at creation, such as `web` or `mobile`. */
  readonly device?: string;
  /** 1 when created, one more with each `replace`. A touch does not change it. */
  readonly version: number;
  /** When the user logged in. A rotation keeps it. */
  readonly createdAt: number;
  /** The last recorded access. It never goes back. */
  readonly lastAccessedAt: number;
}

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

/** What is left of a session that has ended: enough to say why, nothing to bring it back with. */
export interface SessionTombstone extends SessionHeader {
  readonly state: 'ended';
  readonly reason: EndReason;
  /** When it ended. For a timeout: the moment it was due, not the moment somebody noticed. */
  readonly endedAt: number;
  /** The id of the service that ended it, or `@expiry`. */
  readonly endedBy: string;
  /** On whose behalf, if the caller said so: a person, a job. */
  readonly actor?: string;
  /** The session that took over, when the reason is `rotated`. */
  readonly rotatedTo?: string;
  /** Until when the old credential may still be followed to `rotatedTo`. Only with `rotatedTo`. */
  readonly graceEndsAt?: number;
}

/** What a storage knows under a session id. */
export type StoredSession = SessionRecord | SessionTombstone;
