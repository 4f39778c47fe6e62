/** How many of the newest samples are weighed. */
const SAMPLES = 8;
/** The server tells whole milliseconds. */
const RESOLUTION_MS = 1;
/** Half a millisecond of the server's and the whole one that `now()` leaves out: a sample is never better than this. */
const ROUNDING_MS = 1.5 * RESOLUTION_MS;

interface Sample {
  /** Server time less process time, in milliseconds. */
  readonly offset: number;
  /** How far the offset may be off: half the round trip. */
  readonly error: number;
}

/** A moment by the server's clock, as far as it is known, in epoch milliseconds. */
export interface Moment {
  readonly now: number;
  readonly earliest: number;
  readonly latest: number;
}

/**
 * The server's clock, as well as this process knows it. It counts on from samples by the process's monotonic clock, so
 * that a step of the wall clock of this machine changes nothing.
 */
export class ServerClock {
  #samples: Sample[] = [];
  #best: Sample = { offset: Date.now() - performance.now(), error: Infinity };

  /** @param monotonic the process's own clock in milliseconds, which never goes back. */
  constructor(private readonly monotonic: () => number = () => performance.now()) {}

  /** Epoch milliseconds. */
  now(): number {
    return Math.floor(this.monotonic() + this.#best.offset);
  }

  /** The present, and between which times it certainly is. */
  moment(): Moment {
    const [now, error] = [this.now(), this.#best.error];
    return { now, earliest: now - error, latest: now + error };
  }

  /** How far `now()` may be off, in milliseconds; `Infinity` until the server was asked. */
  get errorMs(): number {
    return this.#best.error;
  }

  /** Takes what the server said of its time, in a reply that was asked for at `sentAt` of the monotonic clock. */
  observe(serverTime: number, sentAt: number): void {
    const receivedAt = this.monotonic();
    const halfTrip = (receivedAt - sentAt) / 2;
    const sample = { offset: serverTime + RESOLUTION_MS / 2 - (sentAt + halfTrip), error: halfTrip + ROUNDING_MS };
    // Two samples that cannot both be right: the server's clock was set, or two masters differ.
    const disagrees = this.#samples.some((other) => disagree(other, sample));
    if (disagrees) this.#samples = this.#samples.filter((other) => apart(other, sample) <= MAX_SKEW_MS);
    this.#samples = [...this.#samples, sample].slice(-SAMPLES);
    this.#best = combined(this.#samples);
  }
}

/** Masters of one cluster may differ by so much and count as one clock; by more, a clock was set. */
const MAX_SKEW_MS = 500;

const apart = (a: Sample, b: Sample): number => Math.abs(a.offset - b.offset);
const disagree = (a: Sample, b: Sample): boolean => apart(a, b) > a.error + b.error;

/**
 * The most precise sample, with an error that covers what any other sample allows beyond doubt, and all of one that
 * disagrees: the time may be that one's.
 */
function combined(samples: readonly Sample[]): Sample {
  const best = samples.reduce((a, b) => (b.error < a.error ? b : a));
  const reach = (other: Sample) =>
    apart(other, best) + (disagree(other, best) ? other.error : best.error - other.error);
  return { offset: best.offset, error: Math.max(best.error, ...samples.map(reach)) };
}
