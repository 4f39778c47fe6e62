import type { UnreadableCause } from '../model/session.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { FakeClock } from './fake-clock.js';

/** A storage under test, with access to its store. */
export interface StorageFixture {
  /** Empty and not yet connected. The suite connects and closes it. */
  readonly storage: SessionStorage;
  /**
   * Empties the store while the storage stays connected. With it, the cases of one topic share one connected storage;
   * without it, each case gets a new fixture, which suits a storage that costs nothing to create.
   *
   * It removes the sessions, tombstones and services, and whatever the storage has derived from them, such as counters.
   * It leaves the numbering of the change feed alone: numbers that start over look like a loss, and cause a `feed.gap`.
   */
  readonly clear?: () => Promise<void>;
  /** With `drivenClock`: the clock that the storage reads. */
  readonly clock?: FakeClock;
  /** With `severalInstances`: connects another instance to the same data, as a process would. The suite closes it. */
  readonly another?: () => Promise<SessionStorage>;
  /** With `dump`: everything that the store holds, as text. */
  readonly dump?: () => Promise<string>;
  /** With `unreadable`: damages the record of a live session, or rewrites it as a later release would, in the store. */
  readonly makeUnreadable?: (sessionId: string, cause: UnreadableCause) => Promise<void>;
  /** Discards the data. Called after the storage was closed. */
  readonly dispose?: () => Promise<void>;
}

/** Creates a fixture: for each topic if the fixture has `clear`, and for each case if it has not. */
export type CreateStorageFixture = () => StorageFixture | Promise<StorageFixture>;

/** The capabilities of a fixture. Each `true` adds cases; none is ever skipped. */
export interface StorageCapabilities {
  /** The storage reads `fixture.clock`. Adds cases to the exact millisecond, and no case waits. */
  readonly drivenClock?: boolean;
  /** `fixture.another` exists. Adds cases about what other processes see. */
  readonly severalInstances?: boolean;
  /** `fixture.dump` exists. Adds a search of the whole store for tokens and secrets. */
  readonly dump?: boolean;
  /** The causes that `fixture.makeUnreadable` can produce. Adds cases about records that cannot be read. */
  readonly unreadable?: readonly UnreadableCause[];
}
