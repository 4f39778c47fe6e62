import { Logger } from '@nestjs/common';
import type { ResolvedOptions } from '../resolve-options.js';

const BATCH = 200;
/** So many batches a round; what is left waits for the next round, or for another process. */
const MAX_BATCHES = 50;

/**
 * Looks, now and then, for sessions that time has ended, so that their end is announced and their memory freed.
 * Nothing depends on it for its correctness: a due session is refused whether or not it was swept.
 */
export class SessionSweeper {
  readonly #logger = new Logger(SessionSweeper.name);
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(private readonly options: ResolvedOptions) {}

  start(): void {
    const { sweepIntervalMs } = this.options;
    if (sweepIntervalMs === null || this.#timer) return;
    this.#timer = setInterval(() => {
      this.#round ??= this.#sweep().finally(() => {
        this.#round = undefined;
      });
    }, sweepIntervalMs);
    this.#timer.unref();
  }

  /** Resolves when the round under way is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#round;
  }

  async #sweep(): Promise<void> {
    const { storage, historyRetentionMs } = this.options;
    try {
      for (let batch = 0; batch < MAX_BATCHES; batch++) {
        if ((await storage.sweep({ limit: BATCH, historyRetentionMs })) < BATCH) break;
      }
    } catch (error) {
      this.#logger.warn(`Sweeping failed, and is tried again: ${error instanceof Error ? error.name : 'unknown'}`);
    }
  }
}
