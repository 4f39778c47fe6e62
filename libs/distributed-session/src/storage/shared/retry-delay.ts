import { randomInt } from 'node:crypto';

const MAX_RETRY_DELAY_MS = 2_000;

/** Returns the delay before the next attempt in milliseconds: exponential, at most 2 s, with jitter. */
export function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RETRY_DELAY_MS - 200) + randomInt(200);
}
