import { describe, expect, it } from '@jest/globals';
import type { SessionTombstone } from '../storage/session-record.js';
import { successorOf } from './rotation-grace.js';

const ENDED_AT = 1_000;
const tombstone = (graceMs: number, rotatedTo: string | undefined = 'next') =>
  ({ rotatedTo, endedAt: ENDED_AT, graceEndsAt: ENDED_AT + graceMs }) as SessionTombstone;

describe('successorOf', () => {
  it('is the new id until the grace ends', () => {
    expect(successorOf(tombstone(500), ENDED_AT)).toBe('next');
    expect(successorOf(tombstone(500), ENDED_AT + 499)).toBe('next');
    expect(successorOf(tombstone(500), ENDED_AT + 500)).toBeUndefined();
  });

  it('is nothing without a grace, also while the clock of this process lags the one that stamped the end', () => {
    for (const now of [ENDED_AT + 1, ENDED_AT, ENDED_AT - 1, ENDED_AT - 400]) {
      expect(successorOf(tombstone(0), now)).toBeUndefined();
    }
  });

  it('is the new id within a grace, also while the clock of this process lags', () => {
    expect(successorOf(tombstone(500), ENDED_AT - 400)).toBe('next');
  });

  it('is nothing where a session ended otherwise, or a time is not a number', () => {
    expect(successorOf({ endedAt: ENDED_AT } as SessionTombstone, ENDED_AT)).toBeUndefined();
    expect(successorOf(tombstone(Number.NaN), ENDED_AT)).toBeUndefined();
    expect(successorOf(tombstone(500), Number.NaN)).toBeUndefined();
  });
});
