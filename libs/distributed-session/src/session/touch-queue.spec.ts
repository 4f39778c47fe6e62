import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BatchStorage, gate, record } from '../../../../test/support/batch-storage.js';
import { TouchQueue } from './touch-queue.js';

const HOUR = 3_600_000;

describe('TouchQueue', () => {
  let storage: BatchStorage;
  let queue: TouchQueue;

  beforeEach(() => {
    jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    storage = new BatchStorage();
    queue = new TouchQueue(storage);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    ['a tenth of a short idle timeout', 10_000, 1_000],
    ['a minute at most', HOUR, 60_000],
    ['a minute without an idle timeout', undefined, 60_000],
  ])('writes a touch only after %s', async (_, idleTimeoutMs, intervalMs) => {
    queue.add(record('early', intervalMs - 1, idleTimeoutMs));
    queue.add(record('due', intervalMs, idleTimeoutMs));
    await queue.drain();
    expect(storage.batches).toEqual([['due']]);
  });

  it('uses the interval of the options if they set one', async () => {
    queue = new TouchQueue(storage, 5);
    queue.add(record('early', 4, HOUR));
    queue.add(record('due', 5, HOUR));
    await queue.drain();
    expect(storage.batches).toEqual([['due']]);
  });

  it('sends the touches of one tick as one batch, each session once', async () => {
    for (let n = 0; n < 50; n++) queue.add(record(`s${n % 5}`, HOUR));
    expect(storage.batches).toEqual([]);
    await queue.drain();
    expect(storage.batches).toEqual([['s0', 's1', 's2', 's3', 's4']]);
  });

  it('sends at most 500 in a batch, and the rest immediately after', async () => {
    for (let n = 0; n < 1_200; n++) queue.add(record(`s${n}`, HOUR));
    await queue.drain();
    expect(storage.batches.map((batch) => batch.length)).toEqual([500, 500, 200]);
    expect(new Set(storage.batches.flat()).size).toBe(1_200);
  });

  it('collects touches that arrive while a batch is in flight, without those in flight', async () => {
    const { held, open } = gate();
    storage.held = held;
    queue.add(record('a', HOUR));
    await Promise.resolve();
    for (const sessionId of ['a', 'b', 'b', 'c']) queue.add(record(sessionId, HOUR));
    expect(storage.batches).toEqual([['a']]);
    open();
    await queue.drain();
    expect(storage.batches).toEqual([['a'], ['b', 'c']]);
  });

  it('queues a bounded number of touches while the storage is slow', async () => {
    const { held, open } = gate();
    storage.held = held;
    for (let n = 0; n < 30_000; n++) queue.add(record(`s${n}`, HOUR));
    open();
    await queue.drain();
    expect(storage.batches.flat()).toHaveLength(10_000);
  });

  it('survives a failed batch without a retry, and writes the touch of the next read', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    storage.down = true;
    queue.add(record('a', HOUR));
    await queue.drain();
    expect(storage.batches).toEqual([['a']]);
    storage.down = false;
    await new Promise(setImmediate);
    expect(storage.batches).toEqual([['a']]);
    queue.add(record('a', HOUR));
    await queue.drain();
    expect(storage.batches).toEqual([['a'], ['a']]);
    expect(unhandled).not.toHaveBeenCalled();
    process.off('unhandledRejection', unhandled);
  });

  describe('settle()', () => {
    it('resolves when the touches of one user have been sent, and does not wait for those of others', async () => {
      const settled: string[] = [];
      const { held, open } = gate();
      storage.held = held;
      queue.add({ ...record('a', HOUR), loginId: 'alice' });
      void queue.settle('alice').then(() => settled.push('alice'));
      void queue.settle('bob').then(() => settled.push('bob'));
      await new Promise(setImmediate);
      queue.add({ ...record('c', HOUR), loginId: 'carol' });
      void queue.settle('carol').then(() => settled.push(`carol after ${storage.batches.length} batches`));
      await new Promise(setImmediate);
      expect(settled).toEqual(['bob']);
      open();
      await queue.drain();
      await new Promise(setImmediate);
      expect(settled).toEqual(['bob', 'alice', 'carol after 2 batches']);
    });

    it('waits for two batches at most, and for a failed one no longer than it takes', async () => {
      for (let n = 0; n < 1_200; n++) queue.add({ ...record(`s${n}`, HOUR), loginId: n < 1_100 ? 'many' : 'last' });
      await queue.settle('last');
      expect(storage.batches.length).toBeGreaterThan(1);
      await queue.drain();
      storage.down = true;
      queue.add({ ...record('a', HOUR), loginId: 'alice' });
      await queue.settle('alice');
      expect(storage.batches.at(-1)).toEqual(['a']);
    });
  });

  it('waits for batches in flight when drained, and resolves at once without any', async () => {
    await queue.drain();
    const { held, open } = gate();
    storage.held = held;
    queue.add(record('a', HOUR));
    let drained = false;
    const draining = queue.drain().then(() => (drained = true));
    await new Promise(setImmediate);
    expect(drained).toBe(false);
    open();
    await draining;
    expect(storage.batches).toEqual([['a']]);
  });
});
