import type { AttributeInput, SessionAttributes } from './attributes.js';
import type { RecordedEndReason } from './end-reason.js';

/** The client as it was at login, for the user's list of devices. For display only; never trusted. */
export interface SessionClient {
  /** At most 64 characters; a login cuts off the rest. */
  readonly ip?: string;
  /** At most 1,024 characters; a login cuts off the rest. */
  readonly userAgent?: string;
}

/** The fields of a session, its stored record and its tombstone. Times are epoch milliseconds of the storage's clock. */
export interface SessionHeader {
  /** Identifies the session: a lower-case UUID (RFC 9562). May be shown, listed and logged. It is not a credential. */
  readonly sessionId: string;
  /** The id of the user: 1 to 256 characters of any kind. */
  readonly loginId: string;
  /** The id of the service that created the session. */
  readonly serviceId: string;
  /** The device label that the login passed, such as `web` or `mobile`. */
  readonly device?: string;
  /** 1 when created, incremented by every write. A touch does not change it. */
  readonly version: number;
  /** The time of the login. A rotation does not change it. */
  readonly createdAt: number;
  /** The time of the last recorded access. It never moves back. */
  readonly lastAccessedAt: number;
}

/**
 * A deeply frozen snapshot of a session. Times are epoch milliseconds of the storage's clock.
 *
 * @example
 * const { loginId, attributes, expiresAt } = await sessions.getSession(sessionId);
 */
export interface Session extends SessionHeader {
  /** Absent. Only an {@link UnreadableSession} in a list has it. */
  readonly unreadable?: undefined;
  readonly client?: SessionClient;
  /** Idle timeout in milliseconds. Absent if the session has none. */
  readonly idleTimeoutMs?: number;
  /** The time when the session expires if it is not used until then. */
  readonly expiresAt: number;
  /** The time when the session expires even if it is used. Absent if it has no absolute timeout. */
  readonly absoluteExpiresAt?: number;
  /** The attributes that the caller may read. */
  readonly attributes: SessionAttributes;
}

/**
 * Why the content of a session cannot be read: a later release wrote it, so that an instance of that release reads it; or
 * it is not a valid record.
 */
export type UnreadableCause = 'newer-format' | 'corrupt';

/**
 * A live session in a user's list whose content cannot be read. It counts as a session and can be ended. The other fields
 * are those of a {@link Session}, as far as they could be read.
 *
 * @example
 * const listed = await sessions.getSessionsByLoginId('user123');
 * const unreadable = listed.filter((session) => session.unreadable === 'newer-format');
 */
export interface UnreadableSession extends Partial<Omit<Session, 'client' | 'attributes' | 'unreadable'>> {
  readonly unreadable: UnreadableCause;
  readonly sessionId: string;
  readonly loginId: string;
  readonly client?: undefined;
  readonly attributes?: undefined;
}

/**
 * An entry in a user's list. `unreadable` distinguishes the two.
 *
 * @example
 * const listed = await sessions.getSessionsByLoginId('user123');
 * const roles = listed.map((session) => (session.unreadable ? undefined : session.attributes['role']));
 */
export type ListedSession = Session | UnreadableSession;

/**
 * A session with its token, as `createSession()` and `rotateSession()` return it once. `token` and `credential` are
 * getters: logging, inspecting, spreading or serializing the object does not expose them.
 *
 * @example
 * const { sessionId, credential } = await sessions.createSession('user123');
 * response.cookie('__Host-session', credential, { httpOnly: true, secure: true, sameSite: 'lax', path: '/' });
 */
export interface IssuedSession extends Session {
  /** The secret that authenticates the client. */
  readonly token: string;
  /** `<sessionId>.<token>`, which the client keeps as a cookie or a bearer token. */
  readonly credential: string;
}

/**
 * A session that a caller has read and changed, for `updateSession()`. Only `attributes` may differ from what was read.
 *
 * @example
 * const read = await sessions.getSession(sessionId);
 * const update: SessionUpdate = { ...read, attributes: { ...read.attributes, role: 'admin' } };
 */
export type SessionUpdate = Omit<Session, 'attributes'> & { readonly attributes: AttributeInput };

/**
 * An ended session in a user's history.
 *
 * @example
 * const [last] = await sessions.getSessionHistory('user123');
 * console.log(last?.reason, last?.endedBy, last?.actor);
 */
export interface SessionHistoryEntry extends Omit<SessionHeader, 'version'> {
  readonly reason: RecordedEndReason;
  /** The time when it ended. After a timeout: the time when it was due, not the time of the sweep. */
  readonly endedAt: number;
  /** The id of the service that ended it, or `@expiry`. */
  readonly endedBy: string;
  /** The person or job on whose behalf it was ended, if the caller passed one. */
  readonly actor?: string;
  /** The id of the session that continues it, if the reason is `rotated`. */
  readonly rotatedTo?: string;
}
