import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StorageUnavailableError } from '../errors/storage.errors.js';
import type { SweepSessions } from '../storage/session-storage.operations.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { SessionSweeper } from './session-sweeper.js';

/** Returns the given results, one per sweep; a promise is a slow sweep. */
class ScriptedStorage extends InMemorySessionStorage {
  readonly sweeps: SweepSessions[] = [];
  results: (number | Error | Promise<number>)[] = [];

  override async sweep(sweep: SweepSessions): Promise<number> {
    this.sweeps.push(sweep);
    const result = this.results.shift() ?? 0;
    if (result instanceof Error) throw result;
    return result;
  }
}

describe('SessionSweeper', () => {
  let storage: ScriptedStorage;
  let sweeper: SessionSweeper;
  let warn: jest.SpiedFunction<Logger['warn']>;

  function sweepEvery(sweepIntervalMs: number | null): SessionSweeper {
    return new SessionSweeper(storage, { sweepIntervalMs, historyRetentionMs: 77 });
  }

  /** Makes the next sweep wait until the returned function is called. */
  function holdSweep(): () => void {
    let finish!: () => void;
    const held = new Promise<number>((resolve) => {
      finish = () => resolve(0);
    });
    storage.results = [held];
    return finish;
  }

  beforeEach(() => {
    jest.useFakeTimers();
    warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    storage = new ScriptedStorage();
    sweeper = sweepEvery(1_000);
  });

  afterEach(async () => {
    await sweeper.stop();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('sweeps once per interval, with the configured retention', async () => {
    sweeper.start();
    await jest.advanceTimersByTimeAsync(999);
    expect(storage.sweeps).toEqual([]);
    await jest.advanceTimersByTimeAsync(2_001);
    expect(storage.sweeps).toEqual(Array.from({ length: 3 }, () => ({ limit: 200, historyRetentionMs: 77 })));
  });

  it('continues a round while batches are full, up to a limit', async () => {
    storage.results = [200, 200, 7];
    sweeper.start();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(storage.sweeps).toHaveLength(3);
    storage.results = Array<number>(80).fill(200);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(storage.sweeps).toHaveLength(3 + 50);
  });

  it('does not start a round while another is running', async () => {
    const finish = holdSweep();
    sweeper.start();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(storage.sweeps).toHaveLength(1);
    finish();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(storage.sweeps).toHaveLength(2);
  });

  it('continues after a failure, and logs it without the error message', async () => {
    storage.results = [new StorageUnavailableError('CANARY')];
    sweeper.start();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(storage.sweeps).toHaveLength(2);
    const warnings = warn.mock.calls;
    expect(warnings).toEqual([[expect.stringContaining('StorageUnavailableError')]]);
    expect(String(warnings)).not.toContain('CANARY');
  });

  it('does not keep the process alive, and has one timer even if started again', () => {
    const setInterval = jest.spyOn(globalThis, 'setInterval');
    sweeper.start();
    sweeper.start();
    expect(jest.getTimerCount()).toBe(1);
    const timer = setInterval.mock.results[0]!.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
  });

  it('waits for the current round when stopped, and starts no other', async () => {
    const finish = holdSweep();
    sweeper.start();
    await jest.advanceTimersByTimeAsync(1_000);
    let stopped = false;
    const stopping = sweeper.stop().then(() => (stopped = true));
    await jest.advanceTimersByTimeAsync(10_000);
    expect(stopped).toBe(false);
    finish();
    await stopping;
    expect(jest.getTimerCount()).toBe(0);
    expect(storage.sweeps).toHaveLength(1);
  });

  it('does nothing if the interval is null, and can be stopped without a start', async () => {
    await sweeper.stop();
    sweeper = sweepEvery(null);
    sweeper.start();
    expect(jest.getTimerCount()).toBe(0);
  });
});
