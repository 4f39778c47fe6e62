/** The number of latest samples to consider. */
const SAMPLES = 8;
/** The server returns whole milliseconds. */
const RESOLUTION_MS = 1;
/** The server's rounding (half a millisecond) and that of `now()` (a whole one): the minimum error of a sample. */
const ROUNDING_MS = 1.5 * RESOLUTION_MS;

interface Sample {
  /** Server time minus process time, in milliseconds. */
  readonly offset: number;
  /** Maximum error of the offset: half the round trip. */
  readonly error: number;
}

/** The server's time with its bounds, in epoch milliseconds. */
export interface Moment {
  readonly now: number;
  readonly earliest: number;
  readonly latest: number;
}

/**
 * Estimates the server's clock from samples and the monotonic clock of this process: a step of this machine's wall clock
 * has no effect.
 */
export class ServerClock {
  #samples: Sample[] = [];
  #best: Sample = { offset: Date.now() - performance.now(), error: Infinity };

  /** @param monotonic - A clock of this process in milliseconds, which never goes back. */
  constructor(readonly monotonic: () => number = () => performance.now()) {}

  /** Returns the server's time in epoch milliseconds. */
  now(): number {
    return Math.floor(this.monotonic() + this.#best.offset);
  }

  /** Returns the server's time, and the bounds that certainly contain it. */
  moment(): Moment {
    const [now, error] = [this.now(), this.#best.error];
    return { now, earliest: now - error, latest: now + error };
  }

  /** Maximum error of `now()` in milliseconds; `Infinity` before the first sample. */
  get errorMs(): number {
    return this.#best.error;
  }

  /** Adds a sample: the server's time in the reply to a call that was sent at `sentAt` of the monotonic clock. */
  observe(serverTime: number, sentAt: number): void {
    const receivedAt = this.monotonic();
    const halfTrip = (receivedAt - sentAt) / 2;
    const sample = { offset: serverTime + RESOLUTION_MS / 2 - (sentAt + halfTrip), error: halfTrip + ROUNDING_MS };
    // Two samples contradict each other: the server's clock was set, or two masters differ.
    const disagrees = this.#samples.some((other) => disagree(other, sample));
    if (disagrees) this.#samples = this.#samples.filter((other) => apart(other, sample) <= MAX_SKEW_MS);
    this.#samples = [...this.#samples, sample].slice(-SAMPLES);
    this.#best = combined(this.#samples);
  }
}

/** Clocks of a cluster's masters may differ by this much and count as one; by more, a clock was set. */
const MAX_SKEW_MS = 500;

const apart = (a: Sample, b: Sample): number => Math.abs(a.offset - b.offset);
const disagree = (a: Sample, b: Sample): boolean => apart(a, b) > a.error + b.error;

/**
 * Returns the most precise sample, with an error that covers every other sample: its uncertainty if it agrees, and all
 * of its range if it disagrees, because that one may be right.
 */
function combined(samples: readonly Sample[]): Sample {
  const best = samples.reduce((a, b) => (b.error < a.error ? b : a));
  const reach = (other: Sample) =>
    apart(other, best) + (disagree(other, best) ? other.error : best.error - other.error);
  return { offset: best.offset, error: Math.max(best.error, ...samples.map(reach)) };
}
