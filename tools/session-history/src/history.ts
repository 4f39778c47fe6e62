import type { SessionCounts } from 'nestjs-distributed-session';
import type {
  CreateSession,
  EndAllSessions,
  EndSession,
  ReplaceSession,
  SessionRecord,
  SessionTimes,
  SessionTombstone,
  StorageChange,
  SweepSessions,
} from 'nestjs-distributed-session/storage';

/** A live session as a call returned it, with the id of the write in its payload. */
export type SeenLive = Pick<
  SessionRecord,
  'state' | 'sessionId' | 'loginId' | 'version' | 'lastAccessedAt' | 'expiresAt' | 'absoluteExpiresAt'
> & { readonly writeId: string };

/** A tombstone as a call returned it. Its actor is the write id of the call that ended the session. */
export type SeenEnded = Pick<
  SessionTombstone,
  'state' | 'sessionId' | 'loginId' | 'version' | 'reason' | 'endedAt' | 'endedBy' | 'actor' | 'rotatedTo'
>;

export type Seen = SeenLive | SeenEnded;

/** The unique id of a write, which the payload or the tombstone contains. */
interface Write {
  readonly writeId: string;
}

/** The input of each operation. `by` is always the client. */
export interface CallInputs {
  create: Omit<CreateSession, 'payload' | 'by'> & Write;
  get: { readonly sessionId: string };
  replace: Omit<ReplaceSession, 'payload' | 'by'> & Write;
  touch: { readonly sessionIds: readonly string[] };
  rotate: Pick<ReplaceSession, 'sessionId' | 'expectedVersion'> & {
    readonly successorId: string;
    readonly graceMs: number;
    readonly historyRetentionMs: number;
  } & Write;
  end: Omit<EndSession, 'by' | 'actor'> & Write;
  endAll: Omit<EndAllSessions, 'by' | 'actor'> & Write;
  listByLogin: { readonly loginId: string };
  listHistory: { readonly loginId: string };
  sweep: SweepSessions;
  count: Readonly<Record<string, never>>;
}

export type Operation = keyof CallInputs;

/**
 * `ok`: a read that returned, or an applied write. `refused`: the storage returned that it did not write.
 * `not-applied`: the error says so. `unknown`: the write may or may not have been applied, or may be applied later.
 */
export type CallOutcome = 'ok' | 'refused' | 'not-applied' | 'unknown';

export interface CallResult {
  /** The storage's outcome, such as `created` or `conflict`; for a read, `read`. */
  readonly answer: string;
  readonly sessions: readonly Seen[];
  /** For a touch: one entry per id, `null` if the session was not live. */
  readonly times?: readonly (SessionTimes | null)[];
  /** For a sweep: the number of sessions that it expired. */
  readonly expired?: number;
  readonly counts?: SessionCounts;
}

/** One call of a client. Recorded when it starts, as unsettled and unknown, and again when it settles, under the same number. */
export interface CallOf<Op extends Operation> {
  readonly kind: 'call';
  readonly client: string;
  readonly number: number;
  readonly operation: Op;
  readonly input: CallInputs[Op];
  /** Nanoseconds of the monotonic clock that the processes of one machine share. */
  readonly startedAt: number;
  /** Absent: it never settled. */
  readonly endedAt?: number;
  /** The storage's clock, as the client knew it when the call started. */
  readonly clockAtStart: number;
  readonly clockAtEnd?: number;
  readonly outcome: CallOutcome;
  /** The code of the error it rejected with, or the error's name. */
  readonly error?: string;
  readonly result?: CallResult;
}

export type HistoryCall = { [Op in Operation]: CallOf<Op> }[Operation];

/** A change that a client received, timed with the same clock as the calls. */
export interface ReceivedChange {
  readonly kind: 'received';
  readonly client: string;
  readonly at: number;
  readonly change: StorageChange;
}

/** A client started listening, or stopped in an orderly way. */
export interface FeedBoundary {
  readonly kind: 'feed-started' | 'feed-ended';
  readonly client: string;
  readonly at: number;
}

/** One line of a history file. */
export type HistoryEntry = HistoryCall | ReceivedChange | FeedBoundary;

/** The changes that one client received. */
export interface Feed {
  readonly client: string;
  readonly startedAt: number;
  /** Absent: the client was killed, and the last changes may be missing. */
  readonly endedAt?: number;
  readonly received: readonly ReceivedChange[];
  /** Whether it received a gap: entries may be missing. */
  readonly hasGap: boolean;
}

/** The calls of all clients of one storage, their results, and the changes that each client received. */
export interface History {
  readonly calls: readonly HistoryCall[];
  readonly feeds: readonly Feed[];
}
