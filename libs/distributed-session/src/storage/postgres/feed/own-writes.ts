import { randomBytes } from 'node:crypto';

/** The number of writes with an unknown outcome that are remembered: each may still be applied. */
const MAX_UNSETTLED = 1_000;

/** The writes that were complete at some moment. Their changes are old to a listener that subscribes then. */
export interface WritesBefore {
  readonly nextNumber: number;
  readonly unsettled: ReadonlySet<number>;
}

/**
 * Numbers the writes of this process. Their changes are published with the number. A listener that subscribed after a
 * write was complete does not receive its changes, although their message may arrive later.
 */
export class OwnWrites {
  readonly #instance = randomBytes(6).toString('hex');
  readonly #unsettled = new Set<number>();
  #nextNumber = 1;

  /** Runs a write, which publishes its changes with the origin that it receives. */
  async run<T>(write: (origin: string) => Promise<T>): Promise<T> {
    const number = this.#nextNumber++;
    this.#unsettled.add(number);
    const result = await write(`${this.#instance}:${number}`).catch((error: unknown) => {
      this.#forgetOldest();
      throw error;
    });
    this.#unsettled.delete(number);
    return result;
  }

  before(): WritesBefore {
    return { nextNumber: this.#nextNumber, unsettled: new Set(this.#unsettled) };
  }

  /** Returns whether a change of this origin was made by a write that was complete then. */
  wasBefore(origin: string | undefined, { nextNumber, unsettled }: WritesBefore): boolean {
    const [instance, digits] = origin?.split(':') ?? [];
    const number = Number(digits);
    return instance === this.#instance && number < nextNumber && !unsettled.has(number);
  }

  /** A write that failed may have been applied, or may still be: it never counts as complete. */
  #forgetOldest(): void {
    const [oldest] = this.#unsettled;
    if (this.#unsettled.size > MAX_UNSETTLED && oldest !== undefined) this.#unsettled.delete(oldest);
  }
}
