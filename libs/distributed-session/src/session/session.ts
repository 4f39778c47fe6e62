import type { SessionTombstone } from '../storage/session-record.js';
import type { AttributeInput, SessionAttributes } from './attributes.js';

/** What is known of the client at login, for the user's list of devices. Shown to people; never trusted. */
export interface SessionClient {
  readonly ip?: string;
  readonly userAgent?: string;
}

/** A snapshot of a session, deeply frozen. Times are epoch milliseconds of the storage's clock. */
export interface Session {
  /** Names the session; may be shown, listed and logged. It does not authenticate. */
  readonly sessionId: string;
  readonly loginId: string;
  /** The service that created the session. */
  readonly serviceId: string;
  /** The device label given at login. */
  readonly device?: string;
  readonly client?: SessionClient;
  /** One more with each write; `updateSession()` checks it. */
  readonly version: number;
  readonly createdAt: number;
  readonly lastAccessedAt: number;
  /** How long the session outlives an access, in milliseconds; absent when idleness does not end it. */
  readonly idleTimeoutMs?: number;
  /** When it ends unless it is used. */
  readonly expiresAt: number;
  /** When it ends even if it is used. */
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

/** One ended session in a user's history: which, when, why, and by whom. */
export type SessionHistoryEntry = Omit<SessionTombstone, 'state' | 'graceEndsAt' | 'version'>;
