import { Logger } from '@nestjs/common';
import type { SessionRecord } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';

const MAX_INTERVAL_MS = 60_000;
const MAX_BATCH = 500;
/** Beyond this the rest waits for the next read of its session: a bound for the time the storage is slow. */
const MAX_PENDING = 10_000;

/**
 * Writes down that sessions were used: each at most once an interval, all of a moment in one batch, and never so
 * that a reader waits. A batch goes out at once; what comes while it is on its way makes the next one. A batch that
 * fails is not repeated: the next read of each session notes it again.
 */
export class TouchQueue {
  readonly #logger = new Logger(TouchQueue.name);
  readonly #pending = new Set<string>();
  readonly #onTheWay = new Set<string>();
  #flushing: Promise<void> | undefined;

  constructor(
    private readonly storage: SessionStorage,
    private readonly intervalMs?: number,
  ) {}

  /** Notes an access, if the last one that is written down is long enough ago to be worth a write. */
  note({ sessionId, lastAccessedAt, idleTimeoutMs }: SessionRecord): void {
    const interval = this.intervalMs ?? Math.min((idleTimeoutMs ?? Infinity) / 10, MAX_INTERVAL_MS);
    if (this.storage.now() - lastAccessedAt < interval) return;
    if (this.#onTheWay.has(sessionId) || this.#pending.size >= MAX_PENDING) return;
    this.#pending.add(sessionId);
    this.#flushing ??= this.#flush();
  }

  /** Resolves when all that was noted has been sent. */
  async drain(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    // One turn of the microtask queue, so that the reads of one moment share the batch.
    await Promise.resolve();
    while (this.#pending.size > 0) {
      const batch = [...this.#pending].slice(0, MAX_BATCH);
      for (const sessionId of batch) {
        this.#pending.delete(sessionId);
        this.#onTheWay.add(sessionId);
      }
      try {
        await this.storage.touch(batch);
      } catch (error) {
        const name = error instanceof Error ? error.name : 'unknown';
        this.#logger.warn(`${batch.length} accesses were not recorded: ${name}`);
      }
      this.#onTheWay.clear();
    }
    this.#flushing = undefined;
  }
}
