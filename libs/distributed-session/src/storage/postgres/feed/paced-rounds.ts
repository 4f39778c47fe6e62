/** The number of paced rounds that may start at once after a quiet period: enough for usual traffic. */
export const BURST = 20;

/**
 * Runs one round at a time. Requests that arrive during a round share the next one. Rounds that others request, by
 * notifications that anyone may send, start at once after a quiet period; on average, at most one starts per `spacingMs`
 * milliseconds.
 */
export class PacedRounds {
  #running: Promise<void> | undefined;
  #isWanted = false;
  #timer: NodeJS.Timeout | undefined;
  /** When a paced round is due if there was no burst, by the monotonic clock. */
  #dueAt = -Infinity;

  constructor(
    private readonly round: () => Promise<void>,
    private readonly spacingMs: number,
  ) {}

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Resolves when a round that began after the call has ended. */
  async run(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#runWanted();
    await this.#running;
  }

  /** Runs a round: at once, or as soon as the spacing allows. */
  runPaced(): void {
    if (this.#timer) return;
    const now = performance.now();
    this.#dueAt = Math.max(this.#dueAt, now - (BURST - 1) * this.spacingMs);
    const waitMs = this.#dueAt - now;
    if (waitMs > 0) this.#timer = setTimeout(() => this.#runNow(), waitMs);
    else this.#runNow();
  }

  /** Forgets the round that waits for the spacing: another one began, or none is needed. */
  cancelPaced(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #runNow(): void {
    this.#timer = undefined;
    this.#dueAt += this.spacingMs;
    void this.run();
  }

  async #runWanted(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        this.cancelPaced();
        await this.round();
      }
    } finally {
      // In the turn that found nothing wanted: a later request starts anew.
      this.#running = undefined;
    }
  }
}
