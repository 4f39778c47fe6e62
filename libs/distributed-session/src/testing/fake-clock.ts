import type { Clock } from '../model/clock.js';

/** A clock that stands still until it is told how much time passes. */
export class FakeClock implements Clock {
  #now: number;

  /** @param now the time it starts at, in epoch milliseconds. */
  constructor(now = Date.UTC(2030, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Lets time pass. A negative duration is a clock that was set back. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
