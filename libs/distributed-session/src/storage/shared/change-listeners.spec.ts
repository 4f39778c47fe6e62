import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { StorageChange } from '../storage-change.js';
import { ChangeListeners } from './change-listeners.js';

const change = (at: number): StorageChange => ({ type: 'feed.gap', at });
const delivered = () => new Promise(setImmediate);

describe('ChangeListeners', () => {
  let feed: ChangeListeners;
  let seen: number[];
  let logged: jest.SpiedFunction<Logger['error']>;

  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    feed = new ChangeListeners();
    seen = [];
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  const listener = ({ at }: StorageChange) => seen.push(at);

  it('a listener receives every change in order, after the step that made it', async () => {
    feed.subscribe(listener);
    for (let at = 0; at < 100; at++) feed.publish(change(at));
    expect(seen).toEqual([]);
    await delivered();
    expect(seen).toEqual(Array.from({ length: 100 }, (_, at) => at));
  });

  it('the order is kept if a listener publishes a change itself', async () => {
    feed.subscribe(({ at }) => {
      if (at === 1) feed.publish(change(3));
    });
    feed.subscribe(listener);
    feed.publish(change(1));
    feed.publish(change(2));
    await delivered();
    expect(seen).toEqual([1, 2, 3]);
  });

  it('a listener that throws affects neither the writer, nor other listeners, nor its next delivery', async () => {
    let calls = 0;
    feed.subscribe(() => {
      calls++;
      throw new Error('CANARY');
    });
    feed.subscribe(() => {
      throw 'not an Error' as unknown as Error;
    });
    feed.subscribe(listener);
    expect(() => feed.publish(change(1))).not.toThrow();
    feed.publish(change(2));
    await delivered();
    expect([seen, calls]).toEqual([[1, 2], 2]);
    expect(logged).toHaveBeenCalledTimes(4);
  });

  it('an unsubscribed listener receives nothing, not even earlier changes', async () => {
    const unsubscribe = feed.subscribe(listener);
    feed.publish(change(1));
    unsubscribe();
    unsubscribe();
    await delivered();
    expect(seen).toEqual([]);
  });

  it('a listener receives no earlier changes, and each change once per subscription', async () => {
    feed.publish(change(1));
    const unsubscribe = feed.subscribe(listener);
    feed.subscribe(listener);
    feed.publish(change(2));
    await delivered();
    unsubscribe();
    feed.publish(change(3));
    await delivered();
    expect(seen).toEqual([2, 2, 3]);
  });

  it('a listener cannot alter a change for the others', async () => {
    const alter = jest.fn((entry: StorageChange) => Object.isFrozen(entry));
    feed.subscribe(alter);
    feed.publish(change(1));
    await delivered();
    expect(alter).toHaveReturnedWith(true);
  });
});
