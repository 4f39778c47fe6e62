import type { ServiceCredentialStorage } from './service-credential-storage.js';
import type { ListedRecord, SessionTombstone, StoredSession } from './session-record.js';
import type * as Op from './session-storage.operations.js';
import type { StorageChangeListener } from './storage-change.js';

/** Maximum number of tombstones that a storage keeps of one user: the newest. */
export const HISTORY_LIMIT = 50;

/** A place in a server. It contains no credential, because messages repeat it. */
export interface StoreLocation {
  /** The server's address, or a client object whose address is not known. */
  readonly server: string | object;
  /** What separates the sessions from others on that server, such as a key prefix. */
  readonly part: string;
}

/**
 * Stores sessions: the contract that every driver and every wrapper fulfils, and the injection token of the storage.
 * `describeSessionStorage()` from `nestjs-distributed-session/testing` checks all of it.
 *
 * **One step.** Each method is one atomic step, and one round trip where the store allows it. Two steps on the same user
 * never interleave: one takes place entirely before the other. Admission under the limits, the write, the endings that
 * make room, their tombstones and their changes on the feed belong to the same step.
 *
 * **The storage owns the clock.** Callers pass durations; the storage sets the times. The times are whole epoch
 * milliseconds and the same for every process. A step of the clock never moves `lastAccessedAt` back.
 *
 * **Due means over.** From `expiresAt` on, a session is due, and no method returns or changes it as live, whether or not
 * a sweep has ended it. It reads as the tombstone that the sweep will write: ended at `expiresAt` by `@expiry`, with the
 * reason `idle-timeout`, or `absolute-timeout` if the absolute end came first or at the same time. A write that finds a
 * due session may write that tombstone in its own step, as a sweep would.
 *
 * **Ended means ended.** A live session never replaces a tombstone. Each ended session leaves exactly one tombstone and
 * one change. A user keeps the newest {@link HISTORY_LIMIT} tombstones, each for the `historyRetentionMs` of the step
 * that wrote it. After that, the id is `missing`, and no later write to it creates a session.
 *
 * **The tombstone keeps the token's digest**, exactly as the session had it, however the session ended. Without it, the
 * owner of the session would not learn why it ended. The digest appears nowhere else: in no change and in no log.
 *
 * **Values are not shared.** A storage shares no mutable state with its arguments, nor between its results.
 *
 * **Outcomes and errors.** A result's `outcome` covers what a caller must expect. Errors are for the rest:
 * `StorageUnavailableError` (not applied), `StorageOutcomeUnknownError` (the reply was lost: the write may or may not
 * have been applied), `StorageFullError` (`create` and `rotate`: not applied), `StorageCorruptError` (the stored data or
 * the reply is invalid), `StorageNewerFormatError` (a later release wrote the record: not applied) and, from a wrapper that encrypts, `KeyUnavailableError`. Every call ends within the deadline of
 * the driver.
 *
 * **Unreadable records.** A record that cannot be read stays as it is, until its session ends or expires. A read or a write
 * of it rejects with `StorageNewerFormatError` or `StorageCorruptError`; `end`, `endAll` and the limits end it: its tombstone has
 * what could be read, `@unknown` as `serviceId` and its end as the missing times. Lists and counts include it, so that they
 * agree. What a later release has added to a record that this one can read is kept.
 *
 * @example
 * constructor(private readonly storage: SessionStorage) {} // the storage of DistributedSessionModule
 */
export abstract class SessionStorage {
  // ------------------------------------------------------------------------------------------------- connection

  /**
   * Opens the connections of the storage. Several owners may share one instance: each `connect` is paired with one
   * `close`; the first opens, the last closes. A closed storage may be connected again. Every call to the store
   * rejects with `StorageUnavailableError` while the storage is closed.
   */
  abstract connect(): Promise<void>;

  /** Releases one `connect`. The last one waits for the calls in flight, then closes all connections. */
  abstract close(): Promise<void>;

  /**
   * Where the sessions are, as far as it is known without a call: two storages with equal locations use one store, and an
   * application's modules must not. `undefined` if only this instance has access, or if it is not known.
   */
  get location(): StoreLocation | undefined {
    return undefined;
  }

  /** Checks that the store answers, and whether it is writable. Rejects if it does not answer. */
  abstract ping(): Promise<Op.StorageHealth>;

  /**
   * The storage's clock in epoch milliseconds, as precisely as this process knows it, without a call to the store. For
   * comparison with times that the storage returned (is the grace period over? is a touch worth a write?); never written back.
   */
  abstract now(): number;

  // --------------------------------------------------------------------------------------------------- sessions

  /**
   * Generates the id of a new session of this user: a lower-case UUID of any version. Neither calls the store nor
   * reserves the id.
   *
   * @param predecessorId - The session of this user that the new one replaces, for `rotate()`.
   */
  abstract nextSessionId(loginId: string, predecessorId?: string): string;

  /**
   * Creates a session at version 1, last accessed now. From this step on, it is listed.
   *
   * `limits` apply to the sessions of the user (and, for `perDevice`, of the device) that are live in this step. With
   * `end-oldest`, the excess sessions end in creation order, first those over the limit per device (`replaced`), then
   * those over the limit per user (`limit`), ended by `by`. With `end-idlest`, they end in the order of their
   * `lastAccessedAt`, and in creation order where that is equal. An access that a concurrent step has recorded counts:
   * a session is not ended for an earlier access after a `touch` has returned a later one. Not idempotent: a repeated call returns `id-taken`, which
   * shows a caller that lost the reply that the first call was applied.
   */
  abstract create(session: Op.CreateSession): Promise<Op.CreateSessionResult>;

  /** Returns the session with this id, its tombstone, or `undefined`. Writes nothing and does not count as an access. */
  abstract get(sessionId: string): Promise<StoredSession | undefined>;

  /**
   * Writes a new payload, and the token's digest if one is given, if the session is live and at `expectedVersion`, and
   * increments the version. With `touch`, the write also counts as an access. Otherwise writes nothing and returns what is stored: the current record
   * (`conflict`), the tombstone (`ended`) or nothing (`missing`).
   */
  abstract replace(change: Op.ReplaceSession): Promise<Op.ReplaceSessionResult>;

  /**
   * Records an access now: `lastAccessedAt` becomes now, and `expiresAt` becomes now plus the session's idle timeout,
   * but never later than `absoluteExpiresAt`. Changes no version and publishes nothing. Each session is a separate
   * step. Returns one entry per id, in the given order; `undefined` if the session is not live.
   */
  abstract touch(sessionIds: readonly string[]): Promise<readonly (Op.SessionTimes | undefined)[]>;

  /**
   * Moves a session to a new id, token digest and payload if it is live and at `expectedVersion`. The successor is at version 1, last
   * accessed now, and keeps the user, creating service, device, creation time, place in the list, idle timeout and
   * absolute end. The old id becomes a tombstone (`rotated`, `rotatedTo`, `graceEndsAt`). The limits do not apply. The
   * feed receives one `session.rotated` and nothing else. Of several concurrent rotations, one succeeds.
   */
  abstract rotate(rotation: Op.RotateSession): Promise<Op.RotateSessionResult>;

  /** Ends a session. Idempotent: an ended session keeps its first tombstone, and nothing is published again. */
  abstract end(ending: Op.EndSession): Promise<Op.EndSessionResult>;

  /**
   * Ends the live sessions of a user in one step and returns their tombstones, oldest session first. A session that was
   * created before the step ends; one that is created after it does not. Returns an empty list if there is none.
   */
  abstract endAll(ending: Op.EndAllSessions): Promise<readonly SessionTombstone[]>;

  /**
   * Turns up to `limit` due sessions into their tombstones, publishes each end, and removes the tombstones that are past
   * their retention. However many processes sweep concurrently, each due session ends once. Returns how many ended;
   * fewer than `limit` means that none is left.
   */
  abstract sweep(sweep: Op.SweepSessions): Promise<number>;

  // ------------------------------------------------------------------------------------------------------ lists

  /**
   * Returns the live sessions of a user in creation order, also of those created within one millisecond. Unreadable ones
   * whose creation is unknown come first.
   */
  abstract listByLogin(loginId: string): Promise<readonly ListedRecord[]>;

  /** Returns the tombstones of a user, the last ended first; at most {@link HISTORY_LIMIT}. */
  abstract listHistory(loginId: string): Promise<readonly SessionTombstone[]>;

  /**
   * Counts the live sessions, and the users who have one: a user with several sessions counts once. Both numbers may
   * include sessions that are due since the last sweep, and nothing else.
   */
  abstract count(): Promise<Op.SessionCounts>;

  /**
   * Returns the users who have live sessions, with the number of sessions, in pages. A user who is online during the
   * whole walk is on some page; one who comes or goes meanwhile may or may not be. The cost of a page does not grow with
   * the store. Rejects with `SessionInputError` (`cursor`) for a cursor that this storage did not return.
   */
  abstract listLogins(page: Op.ListLogins): Promise<Op.LoginPage>;

  // --------------------------------------------------------------------------------------------------- services

  /** The credentials of the services that share these sessions, in the same store. */
  abstract readonly services: ServiceCredentialStorage;

  // ------------------------------------------------------------------------------------------------ change feed

  /**
   * Delivers the changes of this and all other processes to a listener, soon after each step; the changes of one session
   * in order. A change that this instance made before the subscription is not delivered. A listener that throws affects
   * neither the write nor other listeners. After a possible loss, `feed.gap` is delivered. Returns a function that ends
   * the subscription.
   */
  abstract changes(listener: StorageChangeListener): () => void;

  /**
   * How far the feed may lag behind, in milliseconds: 0 where changes cannot be late, the time since the last sign of
   * life where they travel, `Infinity` while the feed is interrupted. A cache serves no copy that may be staler than it
   * allows.
   */
  abstract feedLagMs(): number;
}
