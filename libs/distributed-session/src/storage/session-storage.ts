import type { ServiceCredentialStorage } from './service-credential-storage.js';
import type { SessionRecord, SessionTombstone, StoredSession } from './session-record.js';
import type {
  CreateSession,
  CreateSessionResult,
  EndAllSessions,
  EndSession,
  EndSessionResult,
  ListLogins,
  LoginPage,
  ReplaceSession,
  ReplaceSessionResult,
  RotateSession,
  RotateSessionResult,
  SessionCounts,
  SessionTimes,
  StorageHealth,
  SweepSessions,
} from './session-storage.operations.js';
import type { StorageChangeListener } from './storage-change.js';

/** How many tombstones of one login a storage keeps: the newest. */
export const HISTORY_LIMIT = 50;

/**
 * Where sessions live: the contract that every driver and every wrapper keeps, and the token to inject one by.
 * `describeSessionStorage()` of `nestjs-distributed-session/testing` checks all of what follows.
 *
 * **One step.** Each method is one atomic step, in one round trip where the store allows it. Of two steps on the
 * same login one is wholly before the other: no interleaving shows half of one. Admission under the limits, the
 * write, the endings that make room, their tombstones and their announcement belong to the same step.
 *
 * **The clock is the storage's.** Callers pass durations; the storage stamps the times. They leave it as whole
 * epoch milliseconds and are the same whichever process asks. A step in the clock never moves `lastAccessedAt` back.
 *
 * **What is due is over.** From `expiresAt` on no method returns or changes a session as live, whether or not a
 * sweep has claimed it: it reads as the tombstone that the sweep will write (`idle-timeout`, or `absolute-timeout`
 * when that end came first or at the same time; ended at `expiresAt`, by `@expiry`). A writing method that meets
 * a due session may claim it in its own step, as a sweep would.
 *
 * **What ended stays ended.** A tombstone is never replaced by a live session. Each ended session leaves exactly
 * one tombstone and one announcement. A login keeps its newest {@link HISTORY_LIMIT} tombstones, each for the
 * `historyRetentionMs` of the step that made it; after that the id is `missing`, and no write can use it to create.
 *
 * **Values are the caller's own.** What a storage returns shares no mutable state with what it keeps or with what
 * it returned to others; what it was given may be changed by the caller afterwards without effect.
 *
 * **Outcomes and errors.** What a caller must handle in the course of things is an outcome in the result. Errors
 * are for the rest: `StorageUnavailableError` (not applied), `StorageOutcomeUnknownError` (the reply was lost: a
 * write may or may not have been applied), `StorageFullError` (`create` and `rotate`: not applied),
 * `StorageCorruptError` (what is stored, or what came back, is not what was asked for) and, from a wrapper that
 * encrypts, `KeyUnavailableError`. Every call settles within the deadline of the driver.
 */
export abstract class SessionStorage {
  /** The credentials of the services that share these sessions, kept in the same store. */
  abstract readonly services: ServiceCredentialStorage;

  /**
   * Opens what the storage needs. Several owners may share one instance: each `connect` is paired with one `close`,
   * the first opens and the last closes. A storage that was closed may be connected again. Methods called on a
   * storage that was closed reject with `StorageUnavailableError`.
   */
  abstract connect(): Promise<void>;

  /** Gives up one `connect`. The last one lets the calls under way settle, then releases everything. */
  abstract close(): Promise<void>;

  /** Asks the store whether it answers and whether it can be written to. Rejects when it does not answer. */
  abstract ping(): Promise<StorageHealth>;

  /**
   * The storage's clock in epoch milliseconds, as well as this process knows it, without asking the store. For
   * judging times that the storage returned (is the grace over? is a touch worth its write?); never written back.
   */
  abstract now(): number;

  /** A new id for a session of this login: a lower-case UUID of any version. It asks no store and reserves nothing. */
  abstract nextSessionId(loginId: string): string;

  /**
   * Creates a session at version 1, accessed now. It is listed from the same step on.
   *
   * Under `limits` the sessions that count are the live ones of the login (and, for `perDevice`, of the device), as
   * they are in this step. With `end-oldest` those that must give way end in the order of their creation, first
   * those over the limit per device (`replaced`), then those over the limit per login (`limit`), ended by `by`.
   * Not idempotent: a repeated call finds its own id taken, which tells a caller that lost the reply what happened.
   */
  abstract create(session: CreateSession): Promise<CreateSessionResult>;

  /** The session under this id, or its tombstone, or `undefined`. It writes nothing and counts as no access. */
  abstract get(sessionId: string): Promise<StoredSession | undefined>;

  /**
   * Writes a new payload if the session is live and at `expectedVersion`; the version becomes one more. With
   * `touch`, the write is an access too. Otherwise nothing is written and the result is what is there: the current
   * record (`conflict`), the tombstone (`ended`) or nothing (`missing`).
   */
  abstract replace(change: ReplaceSession): Promise<ReplaceSessionResult>;

  /**
   * Records an access now: `lastAccessedAt` becomes now, `expiresAt` becomes now plus the idle timeout of the
   * session, never later than `absoluteExpiresAt`. No version changes and nothing is announced. Each session is a
   * step of its own. The result has one entry per id, in their order; `undefined` where the session is not live.
   */
  abstract touch(sessionIds: readonly string[]): Promise<readonly (SessionTimes | undefined)[]>;

  /**
   * Moves a session to a new id and payload if it is live and at `expectedVersion`. The successor is at version 1,
   * accessed now, and keeps login, creating service, device, creation time, place in the list, idle timeout and
   * absolute end. The old id becomes a tombstone (`rotated`, `rotatedTo`, `graceEndsAt`). It neither counts under
   * the limits nor announces more than one `session.rotated`. Of several rotations at once one wins.
   */
  abstract rotate(rotation: RotateSession): Promise<RotateSessionResult>;

  /** Ends a session. Idempotent: a session that has ended keeps its first tombstone, and nothing is announced again. */
  abstract end(ending: EndSession): Promise<EndSessionResult>;

  /**
   * Ends the live sessions of a login in one step and returns their tombstones, oldest session first. A session
   * created before the step is ended; one created after it is not touched. A login without sessions: an empty list.
   */
  abstract endAll(ending: EndAllSessions): Promise<readonly SessionTombstone[]>;

  /** The live sessions of a login, in the order of their creation, also when several were created in one millisecond. */
  abstract listByLogin(loginId: string): Promise<readonly SessionRecord[]>;

  /** The tombstones of a login, the last ended first; at most {@link HISTORY_LIMIT}. */
  abstract listHistory(loginId: string): Promise<readonly SessionTombstone[]>;

  /**
   * How many sessions are live, and of how many logins: several of one login are one. Both may still count what came
   * due since the last sweep, and nothing else.
   */
  abstract count(): Promise<SessionCounts>;

  /**
   * The logins that have live sessions, with how many, in pages. A login that is online during the whole walk is on
   * some page; one that comes or goes meanwhile may or may not be. The cost of a page does not grow with the store.
   * A cursor that this storage did not make rejects with `SessionInputError` (`cursor`).
   */
  abstract listLogins(page: ListLogins): Promise<LoginPage>;

  /**
   * Claims up to `limit` due sessions, turns each into its tombstone and announces it, and drops tombstones that are
   * past their retention. However many processes sweep, each session is claimed once. Returns how many were claimed;
   * fewer than `limit` means that none is left.
   */
  abstract sweep(sweep: SweepSessions): Promise<number>;

  /**
   * Delivers what this and all other processes change, the changes of one session in their order, each after its
   * step and soon. A listener that throws disturbs neither the write nor other listeners. After a loss a `feed.gap`
   * is delivered. Returns the function that ends the subscription.
   */
  abstract changes(listener: StorageChangeListener): () => void;

  /**
   * How far the feed may be behind, in milliseconds: 0 where changes cannot be late, the time since the last sign of
   * life where they travel, `Infinity` while it is cut. Who keeps copies serves none that may be staler than it allows.
   */
  abstract feedLagMs(): number;
}
