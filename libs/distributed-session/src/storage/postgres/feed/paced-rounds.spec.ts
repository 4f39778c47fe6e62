import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BURST, PacedRounds } from './paced-rounds.js';

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
  /** Requests paced rounds, each of which ends at once. */
  const flood = async (requests: number) => {
    for (let n = 0; n < requests; n++) {
      rounds.runPaced();
      if (rounds.isRunning) await end();
    }
  };
  return { rounds, ends, end, flood };
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

  it('starts paced rounds at once up to the burst, then one after each spacing, however many are requested', async () => {
    const { ends, flood } = scene();
    await flood(BURST);
    expect(ends).toHaveLength(BURST);
    for (let n = 1; n <= 3; n++) {
      await flood(1_000);
      await jest.advanceTimersByTimeAsync(SPACING_MS - 1);
      expect(ends).toHaveLength(BURST + n - 1);
      await jest.advanceTimersByTimeAsync(1);
      expect(ends).toHaveLength(BURST + n);
    }
  });

  it('saves up no more than one burst in a quiet period', async () => {
    const { ends, flood } = scene();
    await flood(BURST);
    await jest.advanceTimersByTimeAsync(1_000 * SPACING_MS);
    ends.length = 0;
    await flood(10 * BURST);
    expect(ends).toHaveLength(BURST);
  });

  it('does not delay other rounds by the spacing, and lets one of them replace the round that waits', async () => {
    const { rounds, ends, flood } = scene();
    await flood(BURST + 1);
    void rounds.run();
    expect(ends).toHaveLength(BURST + 1);
    await jest.advanceTimersByTimeAsync(100 * SPACING_MS);
    expect(ends).toHaveLength(BURST + 1);
  });

  it('forgets a round that waits for the spacing when it is cancelled', async () => {
    const { rounds, ends, flood } = scene();
    await flood(BURST + 1);
    rounds.cancelPaced();
    await jest.advanceTimersByTimeAsync(100 * SPACING_MS);
    expect(ends).toHaveLength(BURST);
  });
});
