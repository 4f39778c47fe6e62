/**
 * Runs one round at a time. Requests that arrive during a round share the next one. Rounds that others request, by
 * notifications that anyone may send, start at most once per `spacingMs` milliseconds.
 */
export class PacedRounds {
  #running: Promise<void> | undefined;
  #isWanted = false;
  #timer: NodeJS.Timeout | undefined;
  #pacedAt = -Infinity;

  constructor(
    private readonly round: () => Promise<void>,
    private readonly spacingMs: number,
  ) {}

  /** Resolves when a round that began after the call has ended. */
  async run(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#runWanted();
    await this.#running;
  }

  /** Runs a round: at once, or as soon as the spacing allows. */
  runPaced(): void {
    if (this.#timer) return;
    const waitMs = this.#pacedAt + this.spacingMs - performance.now();
    if (waitMs > 0) this.#timer = setTimeout(() => this.#runNow(), waitMs);
    else this.#runNow();
  }

  /** Forgets the round that waits for the spacing. */
  cancelPaced(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #runNow(): void {
    this.#timer = undefined;
    this.#pacedAt = performance.now();
    void this.run();
  }

  async #runWanted(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.round();
      }
    } finally {
      // In the turn that found nothing wanted: a later request starts anew.
      this.#running = undefined;
    }
  }
}
