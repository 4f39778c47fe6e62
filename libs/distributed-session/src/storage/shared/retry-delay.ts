import { randomInt } from 'node:crypto';

const MAX_RETRY_DELAY_MS = 2_000;

/** How long to wait before the next try, in milliseconds: longer each time, up to 2 s, and never in step with other processes. */
export function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RETRY_DELAY_MS - 200) + randomInt(200);
}
