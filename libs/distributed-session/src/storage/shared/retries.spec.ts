import { describe, expect, it } from '@jest/globals';
import { retryDelay } from './retries.js';

describe('retryDelay()', () => {
  it('the delay grows with each attempt up to 2 s and has jitter', () => {
    const delays = Array.from({ length: 100 }, (_, attempt) => retryDelay(attempt));
    expect(Math.max(...delays)).toBeLessThanOrEqual(2_000);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(50);
    expect(Math.min(...delays.slice(6))).toBeGreaterThanOrEqual(1_800);
    expect(new Set(delays.slice(6)).size).toBeGreaterThan(10);
  });
});
