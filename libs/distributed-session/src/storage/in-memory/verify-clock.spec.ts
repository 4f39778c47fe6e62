import { describe, expect, it } from '@jest/globals';
import { OptionsError } from '../../errors/options.error.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { InMemorySessionStorage } from './in-memory-session-storage.js';

/** Connects a storage whose clock returns these values in turn. */
async function connectWith(...values: readonly unknown[]): Promise<void> {
  const remaining = [...values];
  const now = () => (remaining.length > 1 ? remaining.shift() : remaining[0]) as number;
  await new InMemorySessionStorage({ clock: { now } }).connect();
}

describe('InMemorySessionStorage.connect()', () => {
  it('accepts a clock that advances, and one that stands still', async () => {
    await expect(connectWith(1_000, 1_001)).resolves.toBeUndefined();
    await expect(new InMemorySessionStorage({ clock: new FakeClock() }).connect()).resolves.toBeUndefined();
  });

  it.each([
    ['no number', [Number.NaN], /now\(\) returns NaN: it must return whole epoch milliseconds/u],
    ['fractions', [performance.now() + 0.5], /now\(\) returns [\d.]+: it must return whole epoch milliseconds/u],
    ['a text', ['1000'], /now\(\) returns a value of type string/u],
    ['a promise', [Promise.resolve(1)], /now\(\) returns a value of type object/u],
    ['a negative time', [-1], /now\(\) returns -1/u],
    ['an infinite time', [Infinity], /now\(\) returns Infinity/u],
    ['an earlier time the second time', [1_000, 999], /now\(\) returned 1000, then 999: it must not run backwards/u],
  ])('rejects a clock that returns %s', async (_name, values, expected) => {
    const error = await connectWith(...values).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as OptionsError).errors).toEqual([expect.stringMatching(expected)]);
  });
});
