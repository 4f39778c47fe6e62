import type { EndReason } from '../model/end-reason.js';
import type {
  FeedGapChange,
  ServiceChangedChange,
  SessionCreatedChange,
  SessionEndedChange,
  SessionRotatedChange,
  SessionUpdatedChange,
} from '../storage/storage-change.js';

/**
 * The credential of an ended session was presented to this process. Told in this process alone. The token could not
 * be checked any more: many of them for one session may be a client that missed its logout, or somebody guessing.
 */
export interface SessionRefusedEvent {
  readonly type: 'session.refused';
  readonly sessionId: string;
  readonly loginId: string;
  /** The service that created the session. */
  readonly serviceId: string;
  readonly device?: string;
  readonly version: number;
  readonly reason: EndReason;
  /** The service that refused it. */
  readonly by: string;
  readonly at: number;
}

/**
 * What each event carries: ids, version, reason, who and when; never a token or an attribute. All but
 * `session.refused` come from the change feed of the storage, and so from every process that shares it.
 */
export interface SessionEventMap {
  readonly 'session.created': SessionCreatedChange;
  readonly 'session.updated': SessionUpdatedChange;
  readonly 'session.rotated': SessionRotatedChange;
  readonly 'session.ended': SessionEndedChange;
  readonly 'session.refused': SessionRefusedEvent;
  readonly 'service.changed': ServiceChangedChange;
  readonly 'feed.gap': FeedGapChange;
}

export type SessionEventType = keyof SessionEventMap;
export type SessionEvent = SessionEventMap[SessionEventType];

export const SESSION_EVENT_TYPES = [
  'session.created',
  'session.updated',
  'session.rotated',
  'session.ended',
  'session.refused',
  'service.changed',
  'feed.gap',
] as const satisfies readonly SessionEventType[];
