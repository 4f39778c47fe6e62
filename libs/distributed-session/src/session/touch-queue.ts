import { Logger } from '@nestjs/common';
import type { SessionRecord } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';

const MAX_INTERVAL_MS = 60_000;
const MAX_BATCH = 500;
/** Beyond this the rest waits for the next read of its session: a bound for the time the storage is slow. */
const MAX_PENDING = 10_000;

/** What became of the accesses that reads have noted. What `refreshSession()` writes at once is not among them. */
export interface TouchCounts {
  /** Accesses that a batch has written down. One of a session that ended before is counted nowhere. */
  readonly written: number;
  /** Accesses that cost no write of their own: the last one written is recent enough, or one waits or is on its way. */
  readonly coalesced: number;
  /** Accesses that were not noted because too many were waiting. */
  readonly dropped: number;
  /** Accesses in batches that failed. They are not written again. */
  readonly failed: number;
}

/**
 * Writes down that sessions were used: each at most once an interval, all of a moment in one batch, and never so
 * that a reader waits. A batch goes out at once; what comes while it is on its way makes the next one. A batch that
 * fails is not repeated: the next read of each session notes it again.
 */
export class TouchQueue {
  readonly #logger = new Logger(TouchQueue.name);
  readonly #pending = new Set<string>();
  readonly #onTheWay = new Set<string>();
  readonly #counts = { written: 0, coalesced: 0, dropped: 0, failed: 0 };
  #flushing: Promise<void> | undefined;

  constructor(
    private readonly storage: SessionStorage,
    private readonly intervalMs?: number,
  ) {}

  /** What became of the accesses since this queue was made, as a frozen snapshot. */
  get counts(): TouchCounts {
    return Object.freeze({ ...this.#counts });
  }

  /** Notes an access, if the last one that is written down is long enough ago to be worth a write. */
  note({ sessionId, lastAccessedAt, idleTimeoutMs }: SessionRecord): void {
    const interval = this.intervalMs ?? Math.min((idleTimeoutMs ?? Infinity) / 10, MAX_INTERVAL_MS);
    const isRecent = this.storage.now() - lastAccessedAt < interval;
    if (isRecent || this.#onTheWay.has(sessionId) || this.#pending.has(sessionId)) {
      this.#counts.coalesced++;
    } else if (this.#pending.size >= MAX_PENDING) {
      this.#counts.dropped++;
    } else {
      this.#pending.add(sessionId);
      this.#flushing ??= this.#flush();
    }
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
        const times = await this.storage.touch(batch);
        this.#counts.written += times.filter((written) => written !== undefined).length;
      } catch (error) {
        this.#counts.failed += batch.length;
        const name = error instanceof Error ? error.name : 'unknown';
        this.#logger.warn(`${batch.length} accesses were not recorded: ${name}`);
      }
      this.#onTheWay.clear();
    }
    this.#flushing = undefined;
  }
}
