import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PacedRounds } from './paced-rounds.js';

const SPACING_MS = 10;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Rounds that end when the test ends them. */
function scene() {
  const ends: (() => void)[] = [];
  const rounds = new PacedRounds(async () => new Promise<void>((resolve) => ends.push(resolve)), SPACING_MS);
  const end = async () => {
    ends.at(-1)!();
    await jest.advanceTimersByTimeAsync(0);
  };
  return { rounds, ends, end };
}

describe('PacedRounds', () => {
  it('runs one round at a time; requests during a round share the next one, and wait for it', async () => {
    const { rounds, ends, end } = scene();
    let settled = 0;
    void rounds.run();
    for (let n = 0; n < 3; n++) void rounds.run().then(() => (settled += 1));
    expect(ends).toHaveLength(1);
    await end();
    expect([ends.length, settled]).toEqual([2, 0]);
    await end();
    expect([ends.length, settled]).toEqual([2, 3]);
  });

  it('starts a paced round at once, and the next one after the spacing, however many are requested', async () => {
    const { rounds, ends, end } = scene();
    for (let n = 0; n < 1_000; n++) rounds.runPaced();
    expect(ends).toHaveLength(1);
    await end();
    await jest.advanceTimersByTimeAsync(SPACING_MS - 1);
    expect(ends).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(ends).toHaveLength(2);
    await end();
    await jest.advanceTimersByTimeAsync(100 * SPACING_MS);
    expect(ends).toHaveLength(2);
  });

  it('does not delay other rounds by the spacing', async () => {
    const { rounds, ends, end } = scene();
    rounds.runPaced();
    await end();
    rounds.runPaced();
    void rounds.run();
    expect(ends).toHaveLength(2);
  });

  it('forgets a round that waits for the spacing when it is cancelled', async () => {
    const { rounds, ends, end } = scene();
    rounds.runPaced();
    await end();
    rounds.runPaced();
    rounds.cancelPaced();
    await jest.advanceTimersByTimeAsync(100 * SPACING_MS);
    expect(ends).toHaveLength(1);
  });
});
