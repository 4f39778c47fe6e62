import { describe, expect, it } from '@jest/globals';
import type { SessionTombstone } from '../storage/session-record.js';
import { successorOf } from './rotation-grace.js';

const ENDED_AT = 1_000;
const tombstone = (graceMs: number, rotatedTo: string | undefined = 'next') =>
  ({ rotatedTo, endedAt: ENDED_AT, graceEndsAt: ENDED_AT + graceMs }) as SessionTombstone;

describe('successorOf', () => {
  it('returns the new id until the grace period ends', () => {
    expect(successorOf(tombstone(500), ENDED_AT)).toBe('next');
    expect(successorOf(tombstone(500), ENDED_AT + 499)).toBe('next');
    expect(successorOf(tombstone(500), ENDED_AT + 500)).toBeUndefined();
  });

  it('returns undefined without a grace period, even if the local clock lags behind the storage clock', () => {
    for (const now of [ENDED_AT + 1, ENDED_AT, ENDED_AT - 1, ENDED_AT - 400]) {
      expect(successorOf(tombstone(0), now)).toBeUndefined();
    }
  });

  it('returns the new id within the grace period, even if the local clock lags', () => {
    expect(successorOf(tombstone(500), ENDED_AT - 400)).toBe('next');
  });

  it('returns undefined for other end reasons and for times that are not numbers', () => {
    expect(successorOf({ endedAt: ENDED_AT } as SessionTombstone, ENDED_AT)).toBeUndefined();
    expect(successorOf(tombstone(Number.NaN), ENDED_AT)).toBeUndefined();
    expect(successorOf(tombstone(500), Number.NaN)).toBeUndefined();
  });
});
