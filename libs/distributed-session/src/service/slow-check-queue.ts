import { availableParallelism } from 'node:os';
import { LRUCache } from 'lru-cache';
import { ServiceAuthenticationError } from '../errors/service.errors.js';

/** Node's thread pool, in which argon2 runs, and which files and name look-ups need too. */
const THREAD_POOL_SIZE = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) || 4;
/** Leaves one core to the event loop, and half of the thread pool to others. */
const CONCURRENCY = Math.max(1, Math.min(availableParallelism() - 1, Math.floor(THREAD_POOL_SIZE / 2)));
const MAX_WAITING = 64;
const MAX_WAITING_PER_SOURCE = 16;
const MAX_WAIT_MS = 3_000;
const MAX_REFUSED_SOURCES = 1_000;
const RETRY_AFTER_MS = 1_000;

interface Waiting {
  readonly rank: number;
  readonly since: number;
  readonly start: () => void;
  readonly refuse: (reason: ServiceAuthenticationError) => void;
}

/**
 * Runs slow hashes, at most as many at once as there are cores to spare. The check with the lowest rank is next;
 * checks of the same source that wait already add to it, so that one with many checks delays another's by few. When the
 * queue is full, a check replaces the newest one with a higher rank, and none waits for more than three seconds. A source that is refused for want of room or time is preferred when it tries again: an attacker that names a
 * new source each time does not come back.
 */
export class SlowCheckQueue {
  /** The waiting checks by source, in the order of turns. */
  readonly #lines = new Map<string, Waiting[]>();
  readonly #refused = new LRUCache<string, true>({ max: MAX_REFUSED_SOURCES });
  #running = 0;
  #waiting = 0;

  constructor(
    private readonly concurrency = CONCURRENCY,
    private readonly now = () => performance.now(),
  ) {}

  /** @throws {ServiceAuthenticationError} with `retryAfterMs`, at once, when the queue or the source's share is full. */
  async run<T>(source: string, rank: number, check: () => Promise<T>): Promise<T> {
    if (this.#running < this.concurrency) this.#running++;
    else await this.#turn(source, this.#refused.has(source) ? rank - 1 : rank);
    try {
      return await check();
    } finally {
      this.#startNext();
    }
  }

  /** Waits for the place of a check that has ended. */
  #turn(source: string, baseRank: number): Promise<void> {
    const line = this.#lines.get(source) ?? [];
    if (line.length >= MAX_WAITING_PER_SOURCE) throw busy();
    const rank = baseRank + line.length;
    if (this.#waiting >= MAX_WAITING && !this.#makeRoom(rank)) throw this.#refusalOf(source);
    this.#refused.delete(source);
    this.#waiting++;
    this.#lines.set(source, line);
    return new Promise((start, refuse) => line.push({ rank, since: this.now(), start, refuse }));
  }

  #startNext(): void {
    this.#refuseLate();
    const [next] = [...this.#lines].toSorted(([, [a]], [, [b]]) => a!.rank - b!.rank);
    if (!next) {
      this.#running--;
      return;
    }
    const [source, line] = next;
    // The source's other checks move behind those of the others.
    this.#lines.delete(source);
    if (line.length > 1) this.#lines.set(source, line);
    this.#waiting--;
    line.shift()!.start();
  }

  /** The checks of a line wait in the order of their arrival. */
  #refuseLate(): void {
    const earliest = this.now() - MAX_WAIT_MS;
    for (const [source, line] of this.#lines) {
      while (line[0] && line[0].since < earliest) {
        this.#waiting--;
        line.shift()!.refuse(this.#refusalOf(source));
      }
      if (line.length === 0) this.#lines.delete(source);
    }
  }

  /** Refuses the newest check of the highest rank, unless the new check's rank is as high. */
  #makeRoom(rank: number): boolean {
    const [last] = [...this.#lines].toReversed().toSorted(([, a], [, b]) => b.at(-1)!.rank - a.at(-1)!.rank);
    const [source, line] = last!;
    const newest = line.at(-1)!;
    if (newest.rank <= rank) return false;
    line.pop();
    if (line.length === 0) this.#lines.delete(source);
    this.#waiting--;
    newest.refuse(this.#refusalOf(source));
    return true;
  }

  #refusalOf(source: string): ServiceAuthenticationError {
    this.#refused.set(source, true);
    return busy();
  }
}

function busy(): ServiceAuthenticationError {
  return new ServiceAuthenticationError(RETRY_AFTER_MS);
}
