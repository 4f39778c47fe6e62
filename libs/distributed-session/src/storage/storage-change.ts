import type { EndReason } from '../model/end-reason.js';

/** Which session a change is about, who made it and when. Never a token, a digest or an attribute. */
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
  /** When, in epoch milliseconds of the storage's clock. */
  readonly at: number;
}

export interface SessionCreatedChange extends SessionChange {
  readonly type: 'session.created';
}

export interface SessionUpdatedChange extends SessionChange {
  readonly type: 'session.updated';
}

/** `sessionId` has ended and lives on as `rotatedTo`. This one entry tells both; no created or ended entry accompanies it. */
export interface SessionRotatedChange extends SessionChange {
  readonly type: 'session.rotated';
  readonly rotatedTo: string;
}

export interface SessionEndedChange extends SessionChange {
  readonly type: 'session.ended';
  readonly reason: Exclude<EndReason, 'rotated'>;
  readonly actor?: string;
}

/** The credential of a service was changed: whoever keeps a verification of it drops it. */
export interface ServiceChangedChange {
  readonly type: 'service.changed';
  readonly change: 'registered' | 'replaced' | 'secret-added' | 'secret-ended' | 'revoked';
  readonly serviceId: string;
  readonly by: string;
  readonly at: number;
}

/** Entries may have been missed (a reconnect, an overflow): whoever keeps copies drops them all. */
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
