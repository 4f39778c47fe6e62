import type { RecordedEndReason } from '../model/end-reason.js';
import type {
  FeedGapChange,
  ServiceChangedChange,
  SessionCreatedChange,
  SessionEndedChange,
  SessionRotatedChange,
  SessionUpdatedChange,
} from '../storage/storage-change.js';

/**
 * The credential of an ended session was presented, with the right token: a client that missed its logout, or a thief with
 * an old credential. Emitted only in the process that rejected it, at most once per second and session, and for at most 100
 * sessions per second.
 */
export interface SessionRefusedEvent {
  readonly type: 'session.refused';
  readonly sessionId: string;
  readonly loginId: string;
  /** The id of the service that created the session. */
  readonly serviceId: string;
  readonly device?: string;
  readonly version: number;
  readonly reason: RecordedEndReason;
  /** The id of the service that rejected the credential. */
  readonly by: string;
  /** Epoch milliseconds of the storage's clock. */
  readonly at: number;
}

/**
 * The events by type. An event contains ids, the version, the reason, the actor and the time, but never a token or an
 * attribute. All except `session.refused` come from the storage's change feed, and so from every process that uses it.
 *
 * @example
 * function log(event: SessionEventMap['session.ended']): void {
 *   console.log(event.sessionId, event.reason, event.by);
 * }
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

/** The type of a {@link SessionEvent}. */
export type SessionEventType = keyof SessionEventMap;
/** Any event; see {@link SessionEventMap}. */
export type SessionEvent = SessionEventMap[SessionEventType];

/** Every event type, for validation. */
export const SESSION_EVENT_TYPES = [
  'session.created',
  'session.updated',
  'session.rotated',
  'session.ended',
  'session.refused',
  'service.changed',
  'feed.gap',
] as const satisfies readonly SessionEventType[];
