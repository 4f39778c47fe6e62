import type { RecordedEndReason } from '../model/end-reason.js';

/** The session of a change, its origin and its time. Never contains a token, a digest or an attribute. */
interface SessionChange {
  readonly sessionId: string;
  readonly loginId: string;
  /** The service that created the session. */
  readonly serviceId: string;
  readonly device?: string;
  /** The version of the session after the change. */
  readonly version: number;
  /** The id of the service that made the change, or `@expiry`. */
  readonly by: string;
  /** Epoch milliseconds of the storage's clock. */
  readonly at: number;
}

export interface SessionCreatedChange extends SessionChange {
  readonly type: 'session.created';
}

export interface SessionUpdatedChange extends SessionChange {
  readonly type: 'session.updated';
}

/** `sessionId` has ended and continues as `rotatedTo`. No created or ended entry accompanies this one. */
export interface SessionRotatedChange extends SessionChange {
  readonly type: 'session.rotated';
  readonly rotatedTo: string;
  readonly actor?: string;
}

export interface SessionEndedChange extends SessionChange {
  readonly type: 'session.ended';
  /** Never `rotated`. */
  readonly reason: RecordedEndReason;
  readonly actor?: string;
}

/** The changes of a service. */
export const SERVICE_CHANGES = ['registered', 'replaced', 'secret-added', 'secret-ended', 'revoked'] as const;

/** The credential of a service has changed: cached verifications of it are invalid. */
export interface ServiceChangedChange {
  readonly type: 'service.changed';
  readonly change: (typeof SERVICE_CHANGES)[number];
  readonly serviceId: string;
  readonly by: string;
  readonly at: number;
}

/** Entries may have been lost (a reconnect, an overflow): cached copies may be stale. */
export interface FeedGapChange {
  readonly type: 'feed.gap';
  readonly at: number;
}

/** One entry of the change feed. */
export type StorageChange =
  | SessionCreatedChange
  | SessionUpdatedChange
  | SessionRotatedChange
  | SessionEndedChange
  | ServiceChangedChange
  | FeedGapChange;

export type StorageChangeListener = (change: StorageChange) => void;
