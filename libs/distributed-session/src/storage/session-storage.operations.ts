import type { EndReason } from '../model/end-reason.js';
import type { SessionRecord, SessionTombstone } from './session-record.js';

/** How many sessions a login may have, judged in the same atomic step as the creation. */
export interface SessionLimits {
  /** Live sessions of the login, 1 to 1,000. */
  readonly perLogin: number;
  /** Live sessions of the login that carry the same device label. Sessions without a label are not counted. */
  readonly perDevice?: number;
  /** `end-oldest` ends as many of the oldest as must give way; `reject` creates nothing. */
  readonly onLimit: 'end-oldest' | 'reject';
}

/** What every writing operation says about itself. */
interface WriteOrigin {
  /** The id of the service on whose behalf this is written. */
  readonly by: string;
}

/** What every operation that may end sessions says about the tombstones it makes. */
interface TombstoneRetention {
  /** How long a tombstone made by this step is kept, in milliseconds, counted from its `endedAt`. */
  readonly historyRetentionMs: number;
}

export interface CreateSession extends WriteOrigin, TombstoneRetention {
  /** From `nextSessionId(loginId)`. */
  readonly sessionId: string;
  readonly loginId: string;
  readonly device?: string;
  /** At least one of the two timeouts is given. */
  readonly idleTimeoutMs?: number;
  readonly absoluteTimeoutMs?: number;
  readonly payload: Uint8Array;
  readonly limits: SessionLimits;
}

export type CreateSessionResult =
  | { readonly outcome: 'created'; readonly session: SessionRecord }
  /** The limit is reached and `onLimit` is `reject`. `scope` says which. */
  | { readonly outcome: 'limit-reached'; readonly scope: 'login' | 'device' }
  /** The id is in use, by a live session or a tombstone. */
  | { readonly outcome: 'id-taken' };

/** What a write met that could not be applied. */
export type SessionWriteRefusal =
  | { readonly outcome: 'conflict'; readonly session: SessionRecord }
  | { readonly outcome: 'ended'; readonly session: SessionTombstone }
  | { readonly outcome: 'missing' };

export interface ReplaceSession extends WriteOrigin {
  readonly sessionId: string;
  readonly expectedVersion: number;
  readonly payload: Uint8Array;
  /** Whether the write also counts as an access. Maintenance, such as re-encryption, passes `false`. */
  readonly touch: boolean;
}

export type ReplaceSessionResult =
  { readonly outcome: 'replaced'; readonly session: SessionRecord } | SessionWriteRefusal;

export interface RotateSession extends WriteOrigin, TombstoneRetention {
  readonly sessionId: string;
  readonly expectedVersion: number;
  /** The id, from `nextSessionId(loginId)`, and the payload that the session has from now on. */
  readonly successor: { readonly sessionId: string; readonly payload: Uint8Array };
  /** How long the old credential may still be followed to the successor, in milliseconds; 0 for not at all. */
  readonly graceMs: number;
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

export interface EndSession extends Ending {
  readonly sessionId: string;
}

export type EndSessionResult =
  | { readonly outcome: 'ended'; readonly session: SessionTombstone }
  | { readonly outcome: 'already-ended'; readonly session: SessionTombstone }
  | { readonly outcome: 'missing' };

export interface EndAllSessions extends Ending {
  readonly loginId: string;
  /** The one session that stays. */
  readonly exceptSessionId?: string;
  /** Only the sessions with this device label. */
  readonly device?: string;
}

export interface SweepSessions extends TombstoneRetention {
  /** How many due sessions to claim at the most. */
  readonly limit: number;
}

/** How much is live. Both numbers may still count what came due since the last sweep, and nothing else. */
export interface SessionCounts {
  /** The live sessions of all logins. */
  readonly sessions: number;
  /** How many logins have at least one session that `sessions` counts. */
  readonly logins: number;
}

export interface ListLogins {
  /** How many logins to return at the most, 1 to 1,000. */
  readonly limit: number;
  /** Where the page before ended. Opaque; absent for the first page. */
  readonly cursor?: string;
}

export interface LoginPage {
  readonly logins: readonly { readonly loginId: string; readonly sessions: number }[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** How well a storage is, as `ping()` found it. */
export interface StorageHealth {
  /** Whether sessions can be created and changed, and not only read and ended. */
  readonly writable: boolean;
  /** What a person on call should know, in plain words and without secrets. */
  readonly notes: readonly string[];
}
