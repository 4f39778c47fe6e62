import { randomInt } from 'node:crypto';

const MAX_RETRY_DELAY_MS = 2_000;

/** Returns the delay before the next attempt in milliseconds: exponential, at most 2 s, with jitter. */
export function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RETRY_DELAY_MS - 200) + randomInt(200);
}

/** Repeats an attempt, with growing delays, until it is closed. Its timer does not keep the process alive. */
export class Retries {
  #timer: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(private readonly attempt: () => void) {}

  /** The number of attempts since the last success. */
  get count(): number {
    return this.#attempts;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  schedule(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.attempt(), retryDelay(this.#attempts++));
    this.#timer.unref();
  }

  succeeded(): void {
    this.#attempts = 0;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
