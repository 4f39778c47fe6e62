import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { DistributedSessionOptionsInput } from '../resolve-options.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import type { SessionRecord } from '../storage/session-record.js';
import type { CreateSession } from '../storage/session-storage.operations.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { StorageChange } from '../storage/storage-change.js';
import { until } from './assertions.js';
import type { CreateStorageFixture, StorageCapabilities, StorageFixture } from './storage-fixture.js';
import type { TestRunner } from './test-runner.js';

/** The timeouts and grace periods of the cases, in milliseconds. */
export interface TestTimes {
  readonly idle: number;
  readonly absolute: number;
  readonly grace: number;
  readonly retention: number;
}

const DRIVEN: TestTimes = { idle: 60_000, absolute: 150_000, grace: 10_000, retention: 3_600_000 };
/**
 * On a real clock, cases read live sessions at least 450 ms before their end, so that a busy machine does not fail them.
 * They wait for an end without such a bound.
 */
const REAL: TestTimes = { idle: 1_000, absolute: 2_500, grace: 1_000, retention: 3_600_000 };
/** Longer than any case takes. */
const LONG_TIMEOUTS = { idleTimeoutMs: 3_600_000, absoluteTimeoutMs: 86_400_000 };
/** How far a storage's idea of its server's clock may be off: half a round trip on a busy machine. */
const CLOCK_ERROR_MS = 50;

/** The storage under test, and what the topics of both suites share. */
export class StorageContext {
  readonly times: TestTimes;
  /** Timeouts of a session, or a manager, that a case lets expire. Without them, sessions outlast the case. */
  readonly brief: typeof LONG_TIMEOUTS;
  #fixture: StorageFixture | undefined;
  #others: SessionStorage[] = [];
  #managers: DistributedSessionManager[] = [];
  #subscriptions: (() => void)[] = [];

  constructor(
    private readonly createFixture: CreateStorageFixture,
    readonly capabilities: StorageCapabilities,
    readonly runner: TestRunner,
  ) {
    this.times = capabilities.drivenClock ? DRIVEN : REAL;
    this.brief = { idleTimeoutMs: this.times.idle, absoluteTimeoutMs: this.times.absolute };
  }

  /** Describes a topic. Its cases share one connected storage, cleared between them, if the fixture has `clear`. */
  topic(name: string, body: () => void): void {
    this.#describe(name, body, (fixture) => fixture.clear === undefined);
  }

  /** Describes a topic whose cases close the storage: each gets a new fixture. */
  isolatedTopic(name: string, body: () => void): void {
    this.#describe(name, body, () => true);
  }

  get fixture(): StorageFixture {
    assert(this.#fixture, 'the fixture exists while a case runs');
    return this.#fixture;
  }

  get storage(): SessionStorage {
    return this.fixture.storage;
  }

  /** Another instance on the same data, closed after the case. */
  async another(): Promise<SessionStorage> {
    assert(this.fixture.another, 'the capability severalInstances requires fixture.another()');
    const other = await this.fixture.another();
    this.#others.push(other);
    return other;
  }

  /** Lets time pass in the storage: advances its clock, or waits until it shows the time. */
  async pass(milliseconds: number): Promise<void> {
    const { clock, storage } = this.fixture;
    if (this.capabilities.drivenClock) {
      assert(clock, 'the capability drivenClock requires fixture.clock');
      clock.advance(milliseconds);
    } else {
      const end = storage.now() + milliseconds + CLOCK_ERROR_MS;
      await delay(milliseconds);
      await until(() => storage.now() > end, `the storage's clock to advance by ${milliseconds} ms`);
    }
  }

  /** Creates a session in the storage itself; everything that is not given has a default. */
  async create(given: Partial<CreateSession> = {}, storage = this.storage): Promise<SessionRecord> {
    const result = await storage.create(this.creation(given, storage));
    assert(result.outcome === 'created');
    return result.session;
  }

  creation(given: Partial<CreateSession> = {}, storage = this.storage): CreateSession {
    const loginId = given.loginId ?? 'alice';
    return {
      sessionId: storage.nextSessionId(loginId),
      loginId,
      ...LONG_TIMEOUTS,
      payload: Buffer.from('payload'),
      limits: { perLogin: 100, onLimit: 'end-oldest' },
      by: 'tester',
      historyRetentionMs: this.times.retention,
      ...given,
    };
  }

  /** The live sessions of a user, all of which can be read. */
  async live(loginId = 'alice', storage = this.storage): Promise<readonly SessionRecord[]> {
    return (await storage.listByLogin(loginId)).map((record) => {
      assert(record.state === 'live', `session ${record.sessionId} is unreadable`);
      return record;
    });
  }

  /** Collects the changes that the feed delivers until the case ends, without gaps. */
  listen(storage = this.storage): { readonly changes: readonly StorageChange[]; readonly stop: () => void } {
    const changes: StorageChange[] = [];
    const stop = storage.changes((change) => change.type !== 'feed.gap' && changes.push(change));
    this.#subscriptions.push(stop);
    return { changes, stop };
  }

  /** A connected manager on the storage, closed after the case. It sweeps only when asked to. */
  async manager(given: Partial<DistributedSessionOptionsInput> = {}): Promise<DistributedSessionManager> {
    const manager = new DistributedSessionManager({
      serviceId: 'tester',
      storage: this.storage,
      ...LONG_TIMEOUTS,
      rotationGraceMs: 60_000,
      historyRetentionMs: this.times.retention,
      sweepIntervalMs: null,
      ...given,
    });
    await manager.connect();
    this.#managers.push(manager);
    return manager;
  }

  /** Closes a manager before the case ends. */
  async close(manager: DistributedSessionManager): Promise<void> {
    this.#managers = this.#managers.filter((other) => other !== manager);
    await manager.close();
  }

  /** Waits until a condition holds. */
  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    await until(condition, what);
  }

  async sweep(storage = this.storage): Promise<number> {
    return storage.sweep({ limit: 1_000, historyRetentionMs: this.times.retention });
  }

  #describe(name: string, body: () => void, isUsedOnce: (fixture: StorageFixture) => boolean): void {
    const { describe, beforeEach, afterEach, afterAll } = this.runner;
    describe(name, () => {
      beforeEach(async () => {
        if (this.#fixture) await this.#fixture.clear?.();
        else await this.#open();
      });
      afterEach(async () => {
        for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
        for (const manager of this.#managers.splice(0)) await manager.close();
        for (const other of this.#others.splice(0)) await other.close();
        if (this.#fixture && isUsedOnce(this.#fixture)) await this.#dispose();
      });
      afterAll(async () => this.#dispose());
      body();
    });
  }

  async #open(): Promise<void> {
    this.#fixture = await this.createFixture();
    await this.storage.connect();
  }

  async #dispose(): Promise<void> {
    const fixture = this.#fixture;
    this.#fixture = undefined;
    await fixture?.storage.close();
    await fixture?.dispose?.();
  }
}
