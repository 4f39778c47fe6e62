import type { Clock } from '../model/clock.js';

/**
 * A clock that moves only when a test advances it.
 *
 * @example
 * const clock = new FakeClock();
 * const storage = new InMemorySessionStorage({ clock });
 * clock.advance(3_600_000); // an hour later
 */
export class FakeClock implements Clock {
  #now: number;

  /**
   * @param now - The initial time, in epoch milliseconds.
   * @default 2030-01-01T00:00:00Z
   */
  constructor(now = Date.UTC(2030, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Advances the clock. A negative duration sets it back. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
