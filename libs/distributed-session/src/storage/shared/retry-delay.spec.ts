import { describe, expect, it } from '@jest/globals';
import { retryDelay } from './retry-delay.js';

describe('retryDelay()', () => {
  it('waits longer from try to try, up to 2 s, and not as long as others do', () => {
    const delays = Array.from({ length: 100 }, (_, attempt) => retryDelay(attempt));
    expect(Math.max(...delays)).toBeLessThanOrEqual(2_000);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(50);
    expect(Math.min(...delays.slice(6))).toBeGreaterThanOrEqual(1_800);
    expect(new Set(delays.slice(6)).size).toBeGreaterThan(10);
  });
});
