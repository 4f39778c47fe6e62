import { retryDelay } from './retry-delay.js';

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
