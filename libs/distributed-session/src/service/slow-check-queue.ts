import { availableParallelism } from 'node:os';
import { ServiceAuthenticationError } from '../errors/service.errors.js';

/** Node's thread pool, in which argon2 runs, and which files and name look-ups need too. */
const THREAD_POOL_SIZE = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) || 4;
/** Leaves one core to the event loop, and half of the thread pool to others. */
const CONCURRENCY = Math.max(1, Math.min(availableParallelism() - 1, Math.floor(THREAD_POOL_SIZE / 2)));
const MAX_WAITING = 64;
const MAX_WAITING_PER_SOURCE = 16;
const RETRY_AFTER_MS = 1_000;

interface Waiting {
  readonly rank: number;
  readonly start: () => void;
  readonly refuse: (reason: ServiceAuthenticationError) => void;
}

/**
 * Runs slow hashes, at most as many at once as there are cores to spare. The source with the lowest rank is next, and
 * sources of the same rank take turns, so that one with many checks delays another's by one check. When the queue is
 * full, a check replaces the newest one of a source with a higher rank or more checks.
 */
export class SlowCheckQueue {
  /** The waiting checks by source, in the order of turns. */
  readonly #lines = new Map<string, Waiting[]>();
  #running = 0;
  #waiting = 0;

  constructor(private readonly concurrency = CONCURRENCY) {}

  /** @throws {ServiceAuthenticationError} with `retryAfterMs`, at once, when the queue or the source's share is full. */
  async run<T>(source: string, rank: number, check: () => Promise<T>): Promise<T> {
    if (this.#running < this.concurrency) this.#running++;
    else await this.#turn(source, rank);
    try {
      return await check();
    } finally {
      this.#startNext();
    }
  }

  /** Waits for the place of a check that has ended. */
  #turn(source: string, rank: number): Promise<void> {
    const line = this.#lines.get(source) ?? [];
    const isFull = line.length >= MAX_WAITING_PER_SOURCE;
    if (isFull || (this.#waiting >= MAX_WAITING && !this.#makeRoom(rank, line.length))) throw busy();
    this.#waiting++;
    this.#lines.set(source, line);
    return new Promise((start, refuse) => line.push({ rank, start, refuse }));
  }

  #startNext(): void {
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

  /** Refuses the newest check of the line that matters least, unless the new check matters less. */
  #makeRoom(rank: number, waiting: number): boolean {
    const [last] = [...this.#lines].toSorted(([, a], [, b]) => b.at(-1)!.rank - a.at(-1)!.rank || b.length - a.length);
    const [source, line] = last!;
    const newest = line.at(-1)!;
    if ((newest.rank - rank || line.length - waiting - 1) <= 0) return false;
    line.pop();
    if (line.length === 0) this.#lines.delete(source);
    this.#waiting--;
    newest.refuse(busy());
    return true;
  }
}

function busy(): ServiceAuthenticationError {
  return new ServiceAuthenticationError(RETRY_AFTER_MS);
}
