import type { EndReason } from '../model/end-reason.js';
import type { SessionRecord, SessionTombstone } from './session-record.js';

/** A user's session limits. Applied in the same atomic step as the creation. */
export interface SessionLimits {
  /** Maximum number of live sessions of the user, 1 to 1,000. */
  readonly perLogin: number;
  /** Maximum number of live sessions of the user with the same device label. Sessions without a label do not count. */
  readonly perDevice?: number;
  /**
   * `end-oldest` ends as many of the oldest sessions as necessary, `end-idlest` as many of the least recently used ones;
   * `reject` creates nothing.
   */
  readonly onLimit: 'end-oldest' | 'end-idlest' | 'reject';
}

/** The origin of a write. */
interface WriteOrigin {
  /** The id of the service that makes the change. */
  readonly by: string;
}

/** The retention of the tombstones that an operation writes. */
interface TombstoneRetention {
  /** How long a tombstone is kept after its `endedAt`, in milliseconds. */
  readonly historyRetentionMs: number;
}

/** Arguments of `create()`. At least one of the two timeouts is present. */
export interface CreateSession extends WriteOrigin, TombstoneRetention {
  /** From `nextSessionId(loginId)`. */
  readonly sessionId: string;
  readonly loginId: string;
  readonly device?: string;
  readonly idleTimeoutMs?: number;
  readonly absoluteTimeoutMs?: number;
  /** The digest of the token: at most 640 printable ASCII characters. */
  readonly tokenDigest?: string;
  readonly payload: Uint8Array;
  readonly limits: SessionLimits;
}

export type CreateSessionResult =
  | { readonly outcome: 'created'; readonly session: SessionRecord }
  /** The limit is reached and `onLimit` is `reject`. `scope` names the limit: per user or per device. */
  | { readonly outcome: 'limit-reached'; readonly scope: 'login' | 'device' }
  /** A live session or a tombstone uses the id. */
  | { readonly outcome: 'id-taken' };

/** A write that was not applied, with the stored session. */
export type SessionWriteRefusal =
  | { readonly outcome: 'conflict'; readonly session: SessionRecord }
  | { readonly outcome: 'ended'; readonly session: SessionTombstone }
  | { readonly outcome: 'missing' };

/** Arguments of `replace()`. */
export interface ReplaceSession extends WriteOrigin {
  readonly sessionId: string;
  readonly expectedVersion: number;
  /** Replaces the stored digest, which is kept if this is absent. */
  readonly tokenDigest?: string;
  readonly payload: Uint8Array;
  /** Whether the write also counts as an access. `false` for maintenance, such as re-encryption. */
  readonly touch: boolean;
}

export type ReplaceSessionResult =
  { readonly outcome: 'replaced'; readonly session: SessionRecord } | SessionWriteRefusal;

/** Arguments of `rotate()`. */
export interface RotateSession extends WriteOrigin, TombstoneRetention {
  readonly sessionId: string;
  readonly expectedVersion: number;
  /** The new id, from `nextSessionId(loginId)`, the digest of the new token, and the new payload. */
  readonly successor: {
    readonly sessionId: string;
    readonly tokenDigest?: string;
    readonly payload: Uint8Array;
  };
  /** The grace period, in which the old credential still works for the successor, in milliseconds; 0 for none. */
  readonly graceMs: number;
  /** The person or job on whose behalf the session is rotated. */
  readonly actor?: string;
}

export type RotateSessionResult =
  | { readonly outcome: 'rotated'; readonly session: SessionRecord }
  | { readonly outcome: 'id-taken' }
  | SessionWriteRefusal;

/** The times of a session after a touch. */
export type SessionTimes = Pick<SessionRecord, 'sessionId' | 'lastAccessedAt' | 'expiresAt'>;

interface Ending extends WriteOrigin, TombstoneRetention {
  readonly reason: Exclude<EndReason, 'rotated' | 'idle-timeout' | 'absolute-timeout'>;
  readonly actor?: string;
}

/** Arguments of `end()`. */
export interface EndSession extends Ending {
  readonly sessionId: string;
}

export type EndSessionResult =
  | { readonly outcome: 'ended'; readonly session: SessionTombstone }
  | { readonly outcome: 'already-ended'; readonly session: SessionTombstone }
  /** Not even the user in the record can be read: the record was removed, and left no tombstone. */
  | { readonly outcome: 'removed' }
  | { readonly outcome: 'missing' };

/** Arguments of `endAll()`. */
export interface EndAllSessions extends Ending {
  readonly loginId: string;
  /** The one session that is kept. */
  readonly exceptSessionId?: string;
  /** Only the sessions with this device label. */
  readonly device?: string;
}

/** Arguments of `sweep()`. */
export interface SweepSessions extends TombstoneRetention {
  /** Maximum number of due sessions to end. */
  readonly limit: number;
}

/** The number of live sessions. Both numbers may include sessions that are due since the last sweep. */
export interface SessionCounts {
  /** Live sessions of all users. */
  readonly sessions: number;
  /** Users with at least one session that `sessions` counts. */
  readonly logins: number;
}

/** Arguments of `listLogins()`. */
export interface ListLogins {
  /** Maximum number of users on the page, 1 to 1,000. */
  readonly limit: number;
  /** The `nextCursor` of the previous page. Opaque; absent for the first page. */
  readonly cursor?: string;
}

/** A page of the users who are online. */
export interface LoginPage {
  readonly logins: readonly { readonly loginId: string; readonly sessions: number }[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** The health of a storage, as found by `ping()`. */
export interface StorageHealth {
  /** Whether sessions can be created and changed, rather than only read and ended. */
  readonly writable: boolean;
  /** Findings for an operator, in plain words and without secrets. */
  readonly notes: readonly string[];
}
