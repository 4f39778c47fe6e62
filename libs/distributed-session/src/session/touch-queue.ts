import { Logger } from '@nestjs/common';
import type { SessionRecord } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';

const MAX_INTERVAL_MS = 60_000;
const MAX_BATCH = 500;
/** Limits the memory that the queue takes while the storage is slow. A dropped touch is repeated by the next read. */
const MAX_PENDING = 10_000;

/**
 * Counters for session touches caused by reads. `refreshSession()` is not counted.
 *
 * @example
 * const { dropped, failed } = sessions.touches;
 */
export interface TouchCounts {
  /** Touches that a batch has written. A touch of a session that has ended meanwhile is not counted. */
  readonly written: number;
  /** Touches that needed no write: the session was touched recently, or a touch is pending or in flight. */
  readonly coalesced: number;
  /** Touches that were dropped because the queue was full. */
  readonly dropped: number;
  /** Touches in batches that failed. They are not retried. */
  readonly failed: number;
}

/**
 * Batches session touches: at most one per session and interval, without blocking readers. A batch is sent immediately;
 * touches that arrive while it is in flight form the next one. A failed batch is not retried: the next read of each
 * session touches it again.
 */
export class TouchQueue {
  readonly #logger = new Logger(TouchQueue.name);
  /** The users of the sessions, by session id. */
  readonly #pending = new Map<string, string>();
  readonly #inFlight = new Map<string, string>();
  readonly #counts = { written: 0, coalesced: 0, dropped: 0, failed: 0 };
  #flushing: Promise<void> | undefined;
  #sending: Promise<void> | undefined;

  constructor(
    private readonly storage: SessionStorage,
    private readonly intervalMs?: number,
  ) {}

  /** A frozen snapshot of the counters. */
  get counts(): TouchCounts {
    return Object.freeze({ ...this.#counts });
  }

  /** Queues a touch if the last recorded access is older than the interval. */
  add({ sessionId, loginId, lastAccessedAt, idleTimeoutMs }: SessionRecord): void {
    const interval = this.intervalMs ?? Math.min((idleTimeoutMs ?? Infinity) / 10, MAX_INTERVAL_MS);
    const isRecent = this.storage.now() - lastAccessedAt < interval;
    if (isRecent || this.#inFlight.has(sessionId) || this.#pending.has(sessionId)) {
      this.#counts.coalesced++;
    } else if (this.#pending.size >= MAX_PENDING) {
      this.#counts.dropped++;
    } else {
      this.#pending.set(sessionId, loginId);
      this.#flushing ??= this.#flush();
    }
  }

  /** Resolves when all queued touches have been sent. */
  async drain(): Promise<void> {
    await this.#flushing;
  }

  /**
   * Resolves when the queued touches of a user's sessions have been sent; at once if there is none. It waits for the batch
   * in flight and the next one at most, so that a long queue does not delay its caller.
   */
  async settle(loginId: string): Promise<void> {
    for (let batch = 0; batch < 2 && this.#isQueued(loginId); batch++) {
      await Promise.resolve();
      await this.#sending;
    }
  }

  #isQueued(loginId: string): boolean {
    return [this.#pending, this.#inFlight].some((queue) => queue.size > 0 && new Set(queue.values()).has(loginId));
  }

  async #flush(): Promise<void> {
    // Waits one microtask, so that reads of the same tick share a batch.
    await Promise.resolve();
    while (this.#pending.size > 0) {
      for (const [sessionId, loginId] of [...this.#pending].slice(0, MAX_BATCH)) {
        this.#pending.delete(sessionId);
        this.#inFlight.set(sessionId, loginId);
      }
      this.#sending = this.#send([...this.#inFlight.keys()]);
      await this.#sending;
      this.#inFlight.clear();
    }
    this.#flushing = undefined;
  }

  async #send(batch: readonly string[]): Promise<void> {
    try {
      const times = await this.storage.touch(batch);
      this.#counts.written += times.filter((written) => written !== undefined).length;
    } catch (error) {
      this.#counts.failed += batch.length;
      const name = error instanceof Error ? error.name : 'unknown';
      this.#logger.warn(`Failed to record ${batch.length} session touches: ${name}`);
    }
  }
}
