import { createHmac, randomBytes } from 'node:crypto';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import type { Clock } from '../model/clock.js';
import { sourceGroupOf } from './source-group.js';

const WINDOW_MS = 60_000;
const MAX_FAILURES_PER_SERVICE = 10;
const MAX_FAILURES_PER_SOURCE = 50;
const MAX_FAILURES_PER_CALLER = 30;
/** Two rows of counters. Each budget has one counter in each row, and the lower one is its count. */
const ROWS = 2;
const ROW_LENGTH = 2 ** 15;
const MAX_COUNT = 255;

/** Where an attempt to authenticate comes from. */
export interface AttemptOrigin {
  /** The origin of the attempt, such as the client's address. Without a source, only the caller's failures count. */
  readonly source?: string;
  /** The service that verifies on someone's behalf, and that has chosen the source. */
  readonly caller?: string;
}

/** An attempt whose failure counts against each of its budgets. */
export interface Attempt {
  /** The source as a group of addresses, separate for each caller. */
  readonly source: string;
  readonly budgets: readonly { readonly name: string; readonly limit: number }[];
}

/**
 * Throttles failed verifications (ASVS 6.3.1). Within a minute of the first one, ten failures block a source for one
 * service id, and fifty for all. Each service that verifies for others has its own sources, and thirty failures in
 * all, because it names the sources itself. Others are unaffected, so a stranger cannot lock a service out.
 *
 * The counters are a table of fixed size that a secret hash addresses, so that no number of ids and addresses pushes a
 * failure out. Budgets that meet in both rows share their failures: too many attackers throttle more, never less.
 */
export class FailureThrottle {
  readonly #hashKey = randomBytes(32);
  readonly #counts = new Uint8Array(ROWS * ROW_LENGTH);
  readonly #windowEndsAt = new Float64Array(ROWS * ROW_LENGTH);

  constructor(private readonly clock: Clock) {}

  attempt(serviceId: string, { source, caller }: AttemptOrigin): Attempt {
    if (source === undefined && caller === undefined) return { source: '', budgets: [] };
    const group = `${caller ?? ''}\n${sourceGroupOf(source ?? '')}`;
    const budgets = [
      { name: `${group}\n${serviceId}`, limit: MAX_FAILURES_PER_SERVICE },
      { name: group, limit: MAX_FAILURES_PER_SOURCE },
    ];
    if (caller !== undefined) budgets.push({ name: caller, limit: MAX_FAILURES_PER_CALLER });
    return { source: group, budgets };
  }

  /** @throws {ServiceAuthenticationError} with `retryAfterMs`, when one of the attempt's budgets is used up. */
  assertAllowed({ budgets }: Attempt): void {
    const blockedForMs = budgets.map(({ name, limit }) => this.#blockedForMs(name, limit));
    const longest = Math.max(0, ...blockedForMs);
    if (longest > 0) throw new ServiceAuthenticationError(longest);
  }

  /** Returns the number of failures of the attempt's source within the current minute. */
  failuresOf({ source, budgets }: Attempt): number {
    return budgets.length === 0 ? 0 : Math.min(...this.#countersOf(source).map((at) => this.#count(at)));
  }

  recordFailure({ budgets }: Attempt): void {
    for (const at of budgets.flatMap(({ name }) => this.#countersOf(name))) {
      const count = this.#count(at);
      if (count === 0) this.#windowEndsAt[at] = this.clock.now() + WINDOW_MS;
      this.#counts[at] = Math.min(count + 1, MAX_COUNT);
    }
  }

  #blockedForMs(name: string, limit: number): number {
    const remaining = this.#countersOf(name).map((at) => (this.#count(at) < limit ? 0 : this.#remainingMs(at)));
    return Math.min(...remaining);
  }

  #count(at: number): number {
    return this.#remainingMs(at) === 0 ? 0 : this.#counts[at]!;
  }

  /** A clock that steps back does not extend a window. */
  #remainingMs(at: number): number {
    const remaining = this.#windowEndsAt[at]! - this.clock.now();
    return remaining > 0 && remaining <= WINDOW_MS ? remaining : 0;
  }

  #countersOf(name: string): number[] {
    const digest = createHmac('sha256', this.#hashKey).update(name).digest();
    return Array.from({ length: ROWS }, (_, row) => row * ROW_LENGTH + (digest.readUInt16LE(2 * row) % ROW_LENGTH));
  }
}
