import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MAX_DURATION_MS, isDuration } from './duration.js';
import { combineTimeouts } from './session-timeouts.js';

const HOUR = 3_600_000;
const base = { idleTimeoutMs: HOUR, absoluteTimeoutMs: 24 * HOUR };
const duration = fc.integer({ min: 1, max: MAX_DURATION_MS });

describe('isDuration', () => {
  it('accepts only whole milliseconds from 1 to ten years', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.double(), fc.integer()), (value) => {
        const fits = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_DURATION_MS;
        expect(isDuration(value)).toBe(fits);
      }),
    );
    for (const value of [NaN, Infinity, -1, 0, 0.5, 1.5, MAX_DURATION_MS + 1, 1e300, '5', [5], new Date(5), 5n]) {
      expect(isDuration(value)).toBe(false);
    }
    expect([1, MAX_DURATION_MS].map((value) => isDuration(value))).toEqual([true, true]);
  });

  it('accepts 0 if the minimum is 0', () => {
    expect(isDuration(0, 0)).toBe(true);
    expect(isDuration(-1, 0)).toBe(false);
  });
});

describe('combineTimeouts', () => {
  it('returns the base if nothing is given', () => {
    expect(combineTimeouts(base, {})).toEqual(base);
  });

  it('disables a timeout that is null, and rejects a session without a timeout', () => {
    expect(combineTimeouts(base, { idleTimeoutMs: null })).toEqual({ absoluteTimeoutMs: 24 * HOUR });
    expect(combineTimeouts(base, { absoluteTimeoutMs: null })).toEqual({ idleTimeoutMs: HOUR });
    expect(combineTimeouts(base, { idleTimeoutMs: null, absoluteTimeoutMs: null })).toHaveProperty('error');
    expect(combineTimeouts({ idleTimeoutMs: HOUR }, { idleTimeoutMs: null })).toHaveProperty('error');
  });

  it('lowers the base idle timeout to a shorter absolute timeout', () => {
    expect(combineTimeouts(base, { absoluteTimeoutMs: 5 })).toEqual({ idleTimeoutMs: 5, absoluteTimeoutMs: 5 });
  });

  it('rejects an idle timeout longer than the base absolute timeout, and states what to set', () => {
    expect(combineTimeouts(base, { idleTimeoutMs: 24 * HOUR })).toEqual({
      idleTimeoutMs: 24 * HOUR,
      absoluteTimeoutMs: 24 * HOUR,
    });
    expect(combineTimeouts(base, { idleTimeoutMs: 24 * HOUR + 1 })).toEqual({
      error: expect.stringContaining('Set absoluteTimeoutMs too'),
    });
    expect(combineTimeouts(base, { idleTimeoutMs: 48 * HOUR, absoluteTimeoutMs: null })).toEqual({
      idleTimeoutMs: 48 * HOUR,
    });
  });

  it('always returns at least one timeout, each as given or shorter', () => {
    const given = fc.record(
      { idleTimeoutMs: fc.option(duration), absoluteTimeoutMs: fc.option(duration) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(given, (overrides) => {
        const timeouts = combineTimeouts(base, overrides);
        if ('error' in timeouts) return;
        const ends = [timeouts.idleTimeoutMs, timeouts.absoluteTimeoutMs].filter((end) => end !== undefined);
        expect(ends.length).toBeGreaterThan(0);
        expect(ends.every((end) => isDuration(end))).toBe(true);
        const absolute =
          overrides.absoluteTimeoutMs === undefined ? 24 * HOUR : (overrides.absoluteTimeoutMs ?? undefined);
        expect(timeouts.absoluteTimeoutMs).toBe(absolute);
        const inherited = Math.min(HOUR, absolute ?? Infinity);
        const idle = overrides.idleTimeoutMs === undefined ? inherited : (overrides.idleTimeoutMs ?? undefined);
        expect(timeouts.idleTimeoutMs).toBe(idle);
      }),
    );
  });
});
