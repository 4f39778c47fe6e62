import { Logger } from '@nestjs/common';
import type { ResolvedOptions } from '../resolve-options.js';
import type { SessionStorage } from '../storage/session-storage.js';

const BATCH = 200;
/** Batches per round. The next round, or another process, expires the rest. */
const MAX_BATCHES = 50;

/**
 * Expires due sessions periodically, so that their end is published and their storage freed. Correctness does not depend
 * on it: a due session is rejected whether or not it has been swept.
 */
export class SessionSweeper {
  readonly #logger = new Logger(SessionSweeper.name);
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(
    private readonly storage: SessionStorage,
    private readonly options: Pick<ResolvedOptions, 'sweepIntervalMs' | 'historyRetentionMs'>,
  ) {}

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

  /** Stops the timer and resolves when the current round has finished. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#round;
  }

  async #sweep(): Promise<void> {
    const { historyRetentionMs } = this.options;
    try {
      for (let batch = 0; batch < MAX_BATCHES; batch++) {
        if ((await this.storage.sweep({ limit: BATCH, historyRetentionMs })) < BATCH) break;
      }
    } catch (error) {
      this.#logger.warn(`The sweep failed and will be retried: ${error instanceof Error ? error.name : 'unknown'}`);
    }
  }
}
