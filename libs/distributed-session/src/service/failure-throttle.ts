import { LRUCache } from 'lru-cache';
import type { Clock } from '../model/clock.js';

const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
const MAX_ENTRIES = 10_000;
const MAX_SOURCE_LENGTH = 256;

interface Failures {
  count: number;
  readonly windowEndsAt: number;
}

/**
 * Throttles failed verifications per service and source (ASVS 6.3.1): ten failures within a minute block the source
 * for the rest of that minute. Other sources are unaffected, so a stranger cannot lock a service out.
 */
export class FailureThrottle {
  readonly #failures = new LRUCache<string, Failures>({ max: MAX_ENTRIES });

  constructor(private readonly clock: Clock) {}

  /** Returns how long this source remains blocked for this service, in milliseconds; `undefined` if it is not blocked. */
  blockedForMs(serviceId: string, source: string): number | undefined {
    const failures = this.#current(serviceId, source);
    return failures && failures.count >= MAX_FAILURES ? failures.windowEndsAt - this.clock.now() : undefined;
  }

  /** Records a failed verification. */
  recordFailure(serviceId: string, source: string): void {
    const failures = this.#current(serviceId, source);
    if (failures) failures.count++;
    else this.#failures.set(keyOf(serviceId, source), { count: 1, windowEndsAt: this.clock.now() + WINDOW_MS });
  }

  #current(serviceId: string, source: string): Failures | undefined {
    const failures = this.#failures.get(keyOf(serviceId, source));
    return failures && this.clock.now() < failures.windowEndsAt ? failures : undefined;
  }
}

function keyOf(serviceId: string, source: string): string {
  return `${serviceId}\n${source.slice(0, MAX_SOURCE_LENGTH)}`;
}
