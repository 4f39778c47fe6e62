import type { AttributeInput, SessionAttributes } from './attributes.js';
import type { EndReason } from './end-reason.js';

/** What is known of the client at login, for the user's list of devices. Shown to people; never trusted. */
export interface SessionClient {
  readonly ip?: string;
  readonly userAgent?: string;
}

/** The fields that a session, its stored record and its tombstone share. Times are epoch milliseconds of the storage's clock. */
export interface SessionHeader {
  /** Identifies the session: a lower-case UUID (RFC 9562). May be shown, listed and logged. It is not a credential. */
  readonly sessionId: string;
  /** The user. Any characters. */
  readonly loginId: string;
  /** The service that created the session. */
  readonly serviceId: string;
  /** The device label given at login, such as `web` or `mobile`. */
  readonly device?: string;
  /** 1 when created, incremented by every write. A touch does not change it. */
  readonly version: number;
  /** When the user logged in. A rotation keeps it. */
  readonly createdAt: number;
  /** The last recorded access. It never moves back. */
  readonly lastAccessedAt: number;
}

/** A snapshot of a session, deeply frozen. Times are epoch milliseconds of the storage's clock. */
export interface Session extends SessionHeader {
  readonly client?: SessionClient;
  /** How long the session lives after an access, in milliseconds. Absent: idleness does not end it. */
  readonly idleTimeoutMs?: number;
  /** When the session expires unless it is used. */
  readonly expiresAt: number;
  /** When the session expires even if it is used. Absent: only idleness ends it. */
  readonly absoluteExpiresAt?: number;
  readonly attributes: SessionAttributes;
}

/**
 * A session as `createSession()` and `rotateSession()` return it: the only time its secrets leave the library.
 * `token` and `credential` are not enumerable, so that a session that is logged, spread or sent as JSON holds none.
 */
export interface IssuedSession extends Session {
  readonly token: string;
  /** `<sessionId>.<token>`: what the client keeps, as a cookie or a bearer token. */
  readonly credential: string;
}

/** A session that was changed by its holder, for `updateSession()`. Only `attributes` may differ from what was read. */
export type SessionUpdate = Omit<Session, 'attributes'> & { readonly attributes: AttributeInput };

/** An ended session in a user's history: which session ended, when, why, and who ended it. */
export interface SessionHistoryEntry extends Omit<SessionHeader, 'version'> {
  readonly reason: EndReason;
  /** When it ended. For a timeout: when it was due, not when a sweep found it. */
  readonly endedAt: number;
  /** The id of the service that ended it, or `@expiry`. */
  readonly endedBy: string;
  /** The person or job on whose behalf it ended, if the caller passed one. */
  readonly actor?: string;
  /** The session that replaced it, if the reason is `rotated`. */
  readonly rotatedTo?: string;
}
