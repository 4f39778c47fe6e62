import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BatchStorage, gate, record } from '../../../../test/support/batch-storage.js';
import { TouchQueue } from './touch-queue.js';

const HOUR = 3_600_000;

describe('The counts of TouchQueue', () => {
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

  async function stored(loginId: string): Promise<string> {
    const limits = { perLogin: 1, onLimit: 'reject' } as const;
    const creation = { loginId, by: 's', idleTimeoutMs: HOUR, historyRetentionMs: HOUR, payload: new Uint8Array() };
    const sessionId = storage.nextSessionId();
    await storage.create({ ...creation, sessionId, limits });
    return sessionId;
  }

  const none = { written: 0, coalesced: 0, dropped: 0, failed: 0 };

  it('start at zero and are frozen snapshots', async () => {
    const before = queue.counts;
    expect(Object.isFrozen(before)).toBe(true);
    queue.add(record(await stored('a'), HOUR));
    await queue.drain();
    expect(before).toEqual(none);
    expect(queue.counts).not.toBe(before);
    expect(queue.counts).toEqual({ ...none, written: 1 });
  });

  it('include written touches, but not those of ended sessions', async () => {
    const [a, b] = [await stored('a'), await stored('b')];
    await storage.end({ sessionId: b, reason: 'logged-out', by: 's', historyRetentionMs: HOUR });
    const { held, open } = gate();
    storage.held = held;
    for (const sessionId of [a, b]) queue.add(record(sessionId, HOUR));
    await Promise.resolve();
    expect(queue.counts).toEqual(none);
    open();
    await queue.drain();
    expect(queue.counts).toEqual({ ...none, written: 1 });
  });

  it('include touches that needed no write, because one was recent, pending or in flight', async () => {
    const [a, b] = [await stored('a'), await stored('b')];
    queue.add(record(a, 1));
    expect(queue.counts.coalesced).toBe(1);
    const { held, open } = gate();
    storage.held = held;
    for (const sessionId of [a, a]) queue.add(record(sessionId, HOUR));
    expect(queue.counts.coalesced).toBe(2);
    await Promise.resolve();
    for (const sessionId of [a, b]) queue.add(record(sessionId, HOUR));
    expect(queue.counts.coalesced).toBe(3);
    open();
    await queue.drain();
    expect(queue.counts).toEqual({ ...none, written: 2, coalesced: 3 });
  });

  it('include touches dropped by a full queue, but not those already pending', async () => {
    const { held, open } = gate();
    storage.held = held;
    for (let n = 0; n < 10_000; n++) queue.add(record(`s${n}`, HOUR));
    queue.add(record('s0', HOUR));
    expect(queue.counts).toEqual({ ...none, coalesced: 1 });
    for (const sessionId of ['x', 'y', 'x']) queue.add(record(sessionId, HOUR));
    expect(queue.counts).toEqual({ ...none, coalesced: 1, dropped: 3 });
    open();
    await queue.drain();
  });

  it('include every touch of a failed batch', async () => {
    const [a, b] = [await stored('a'), await stored('b')];
    storage.down = true;
    for (const sessionId of [a, b]) queue.add(record(sessionId, HOUR));
    await queue.drain();
    expect(queue.counts).toEqual({ ...none, failed: 2 });
    storage.down = false;
    queue.add(record(a, HOUR));
    await queue.drain();
    expect(queue.counts).toEqual({ ...none, failed: 2, written: 1 });
  });
});
