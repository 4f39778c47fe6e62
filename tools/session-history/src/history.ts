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

/** What a live session looked like to a call, with the id of the write that its payload names. */
export type SeenLive = Pick<
  SessionRecord,
  'state' | 'sessionId' | 'loginId' | 'version' | 'lastAccessedAt' | 'expiresAt' | 'absoluteExpiresAt'
> & { readonly writeId: string };

/** What a tombstone looked like to a call. Its actor is the write id of the call that ended the session. */
export type SeenEnded = Pick<
  SessionTombstone,
  'state' | 'sessionId' | 'loginId' | 'version' | 'reason' | 'endedAt' | 'endedBy' | 'actor' | 'rotatedTo'
>;

export type Seen = SeenLive | SeenEnded;

/** What a write says of itself: an id that no other call has, which the payload or the tombstone carries. */
interface Write {
  readonly writeId: string;
}

/** What each operation was asked. `by` is always the client. */
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
 * `ok`: a read that answered, or a write that was applied. `refused`: the storage answered that it did not write.
 * `not-applied`: the error says so. `unknown`: it may or may not have been applied, or may be later.
 */
export type CallOutcome = 'ok' | 'refused' | 'not-applied' | 'unknown';

export interface CallResult {
  /** The word of the storage, such as `created` or `conflict`; of a read, `read`. */
  readonly answer: string;
  readonly sessions: readonly Seen[];
  /** Of a touch, one for each id; `null` where the session was not live. */
  readonly times?: readonly (SessionTimes | null)[];
  /** Of a sweep. */
  readonly claimed?: number;
  readonly counts?: SessionCounts;
}

/** One call of a client. Written when it starts, as unsettled and unknown, and again under its number when it has settled. */
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

/** A change that a client heard of, at a time of the same clock as that of the calls. */
export interface HeardChange {
  readonly kind: 'heard';
  readonly client: string;
  readonly at: number;
  readonly change: StorageChange;
}

/** A client began to listen, or stopped in good order. */
export interface FeedBoundary {
  readonly kind: 'feed-started' | 'feed-ended';
  readonly client: string;
  readonly at: number;
}

/** One line of a history file. */
export type HistoryEntry = HistoryCall | HeardChange | FeedBoundary;

/** What one client heard. */
export interface Feed {
  readonly client: string;
  readonly startedAt: number;
  /** Absent: it broke off, and may lack what came last. */
  readonly endedAt?: number;
  readonly heard: readonly HeardChange[];
  /** Whether it was told that entries may be missing. */
  readonly hasGap: boolean;
}

/** Everything that all clients of one storage asked, were told and heard. */
export interface History {
  readonly calls: readonly HistoryCall[];
  readonly feeds: readonly Feed[];
}
