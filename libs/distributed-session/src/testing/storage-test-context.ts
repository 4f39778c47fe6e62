import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { DistributedSessionOptionsInput } from '../resolve-options.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import type { SessionRecord } from '../storage/session-record.js';
import type { CreateSession } from '../storage/session-storage.operations.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { FakeClock } from './fake-clock.js';
import type { TestRunner } from './test-runner.js';

/** A storage under test. */
export interface StorageFixture {
  /** Empty. The suite connects and closes it. */
  readonly storage: SessionStorage;
  /** With `drivenClock`: the clock that the storage keeps time by. */
  readonly clock?: FakeClock;
  /** With `severalInstances`: connects one more instance to the same data, as another process would. */
  readonly another?: () => Promise<SessionStorage>;
  /** With `dump`: everything that the store holds, in any readable form. */
  readonly dump?: () => Promise<string>;
  /** Throws the data away, after the storage was closed. */
  readonly dispose?: () => Promise<void>;
}

export type CreateStorageFixture = () => StorageFixture | Promise<StorageFixture>;

/** What a fixture can do. Each `true` adds tests. */
export interface StorageCapabilities {
  readonly drivenClock?: boolean;
  readonly severalInstances?: boolean;
  readonly dump?: boolean;
}

/** What tests wait for, in milliseconds: comfortable where the clock is driven, short where time is real. */
export interface TestTimes {
  readonly idle: number;
  readonly absolute: number;
  readonly grace: number;
  readonly retention: number;
}

const DRIVEN: TestTimes = { idle: 60_000, absolute: 150_000, grace: 10_000, retention: 3_600_000 };
/** Long enough that a step which takes a tenth of it on a busy machine does not change the outcome. */
const REAL: TestTimes = { idle: 600, absolute: 1_500, grace: 600, retention: 3_600_000 };
/** Longer than any test, however busy the machine is. */
const LASTING = { idleTimeoutMs: 3_600_000, absoluteTimeoutMs: 86_400_000 };
const PATIENCE_MS = 5_000;
/** Where a server keeps the time, this process knows it to half a round trip only: a few milliseconds, more when busy. */
const CLOCK_ERROR_MS = 25;

/** One fixture a test, and what the topics of the suite share. */
export class StorageTestContext {
  readonly times: TestTimes;
  /** For a session, or a manager, of which a test waits until time ends it. Without these, sessions last. */
  readonly brief: typeof LASTING;
  #fixture: StorageFixture | undefined;
  #managers: DistributedSessionManager[] = [];

  constructor(
    create: CreateStorageFixture,
    readonly capabilities: StorageCapabilities,
    readonly runner: TestRunner,
  ) {
    this.times = capabilities.drivenClock ? DRIVEN : REAL;
    this.brief = { idleTimeoutMs: this.times.idle, absoluteTimeoutMs: this.times.absolute };
    runner.beforeEach(async () => {
      this.#fixture = await create();
      await this.storage.connect();
    });
    runner.afterEach(async () => {
      for (const manager of this.#managers.splice(0)) await manager.close();
      await this.storage.close();
      await this.fixture.dispose?.();
    });
  }

  get fixture(): StorageFixture {
    assert(this.#fixture, 'the fixture exists while a test runs');
    return this.#fixture;
  }

  get storage(): SessionStorage {
    return this.fixture.storage;
  }

  /** Another instance on the same data. */
  async another(): Promise<SessionStorage> {
    assert(this.fixture.another, 'the capability severalInstances needs fixture.another()');
    return this.fixture.another();
  }

  /** Lets time pass in the storage: drives its clock, or waits until it shows the time. */
  async pass(milliseconds: number): Promise<void> {
    const { clock, storage } = this.fixture;
    if (this.capabilities.drivenClock) {
      assert(clock, 'the capability drivenClock needs fixture.clock');
      clock.advance(milliseconds);
    } else {
      const end = storage.now() + milliseconds + CLOCK_ERROR_MS;
      await until(() => storage.now() > end);
    }
  }

  /** Creates a session in the storage itself; everything not given is a default. */
  async create(given: Partial<CreateSession> = {}, storage = this.storage): Promise<SessionRecord> {
    const result = await storage.create(this.creation(given, storage));
    assert.equal(result.outcome, 'created');
    return (result as { session: SessionRecord }).session;
  }

  creation(given: Partial<CreateSession> = {}, storage = this.storage): CreateSession {
    const loginId = given.loginId ?? 'alice';
    return {
      sessionId: storage.nextSessionId(loginId),
      loginId,
      ...LASTING,
      payload: Buffer.from('payload'),
      limits: { perLogin: 100, onLimit: 'end-oldest' },
      by: 'tester',
      historyRetentionMs: this.times.retention,
      ...given,
    };
  }

  /** A manager on the storage, closed after the test. It does not sweep by itself. */
  async manager(given: Partial<DistributedSessionOptionsInput> = {}): Promise<DistributedSessionManager> {
    const manager = new DistributedSessionManager({
      serviceId: 'tester',
      storage: this.storage,
      ...LASTING,
      rotationGraceMs: 60_000,
      historyRetentionMs: this.times.retention,
      sweepIntervalMs: null,
      ...given,
    });
    await manager.connect();
    this.#managers.push(manager);
    return manager;
  }

  /** Closes a manager before the test ends. */
  async close(manager: DistributedSessionManager): Promise<void> {
    this.#managers = this.#managers.filter((other) => other !== manager);
    await manager.close();
  }

  async sweep(storage = this.storage): Promise<number> {
    return storage.sweep({ limit: 1_000, historyRetentionMs: this.times.retention });
  }
}

/** Waits for a condition; fails after a while with what it waited for. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the awaited condition',
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert(Date.now() < end, `${what} did not come about within ${PATIENCE_MS} ms`);
    await delay(5);
  }
}
