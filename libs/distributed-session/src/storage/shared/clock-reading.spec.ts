import { describe, expect, it } from '@jest/globals';
import { clockError, spreadError } from './clock-reading.js';

/** A reading of a clock that is ahead of this process's by an offset. */
const reading = (offset: number, sentAt: number, receivedAt: number) => ({
  sentAt,
  receivedAt,
  now: (sentAt + receivedAt) / 2 + offset,
});

describe('clockError()', () => {
  it.each([
    ['advances', [1_000.001, 1_000.5, 1_000.002]],
    ['advances by hours, because it was set', [1_000, 5_000_000, 9_000_000]],
  ])('accepts a clock that %s', (_name, readings) => {
    expect(clockError(readings, 'TIME')).toBeUndefined();
  });

  it.each([
    ['stands still', [1_000.5, 1_000.5, 1_000.5], /its clock stands still: TIME returned 1000\.5 twice/u],
    ['runs backwards', [1_000.5, 1_000.5, 1_000.4], /its clock runs backwards: TIME returned 1000\.5, then 1000\.4/u],
    ['disagrees with another one', [1_000.5, 5_000, 1_000.6], /its clocks disagree:.* a time in between was 5000/u],
    ['disagrees with one in the past', [1_000.5, 10, 1_000.6], /its clocks disagree/u],
    ['is not a number', [Number.NaN, 1, 2], /does not return times/u],
    ['is infinite', [1, 2, Infinity], /does not return times/u],
    ['is negative', [-2, -1.5, -1], /does not return times/u],
  ])('rejects a clock that %s', (_name, readings, expected) => {
    expect(clockError(readings, 'TIME')).toMatch(expected);
  });
});

describe('spreadError()', () => {
  it('accepts one clock, and clocks that may agree within what the round trips leave open', () => {
    expect(spreadError([reading(5, 0, 2)])).toBeUndefined();
    expect(spreadError([reading(0, 0, 2), reading(900, 0, 2)])).toBeUndefined();
    expect(spreadError([reading(0, 0, 4_000), reading(3_000, 0, 4_000)])).toBeUndefined();
  });

  it('rejects clocks that differ by more than a second, whichever is ahead', () => {
    for (const offsets of [
      [0, 5_000, 0],
      [0, -5_000, 0],
    ]) {
      const found = spreadError(offsets.map((offset, n) => reading(offset, n, n + 2)));
      expect(found).toMatch(/^clocks differ by 499\d ms: synchronise them/u);
    }
  });
});
