import { ServiceAuthenticationError } from '../errors/service.errors.js';

/** At most one refusal in this time, after a burst. */
const INTERVAL_MS = 20;
const BURST = 50;
const MAX_DELAY_MS = 2_000;
const MAX_DELAYED = 1_000;

/**
 * Spreads the refusals of throttled attempts over time. A client that repeats its request as soon as it is refused would
 * otherwise keep the event loop from everyone else, though nothing is compared for it any more.
 */
export class RefusalPace {
  #nextAt = -Infinity;
  #delayed = 0;

  /** Settles like the attempt, but later if it is refused with `retryAfterMs` and many others were, too. */
  async of<T>(attempt: Promise<T>): Promise<T> {
    try {
      return await attempt;
    } catch (error) {
      const isThrottled = error instanceof ServiceAuthenticationError && error.retryAfterMs !== undefined;
      // Each delayed refusal holds a request in memory.
      if (isThrottled && this.#delayed < MAX_DELAYED) await this.#delay();
      throw error;
    }
  }

  async #delay(): Promise<void> {
    const now = performance.now();
    const turn = Math.max(this.#nextAt, now - BURST * INTERVAL_MS) + INTERVAL_MS;
    this.#nextAt = Math.min(turn, now + MAX_DELAY_MS);
    if (this.#nextAt <= now) return;
    this.#delayed++;
    await new Promise((resolve) => setTimeout(resolve, this.#nextAt - now));
    this.#delayed--;
  }
}
