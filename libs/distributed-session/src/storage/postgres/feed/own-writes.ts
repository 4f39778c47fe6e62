import { randomBytes } from 'node:crypto';

/** Of how many writes whose outcome is unknown it is remembered that they may still be applied. */
const MAX_UNSETTLED = 1_000;

/** Which writes were over at some moment, so that what they announce is old to whoever begins to listen then. */
export interface WritesBefore {
  readonly nextNumber: number;
  readonly unsettled: ReadonlySet<number>;
}

/**
 * The writes of this process, by number. What they change is announced to everybody, with the number; a listener that
 * subscribed after a write was over does not hear of it, though the announcement may arrive later.
 */
export class OwnWrites {
  readonly #instance = randomBytes(6).toString('hex');
  readonly #unsettled = new Set<number>();
  #nextNumber = 1;

  /** Runs a write, which announces its changes with the origin that it is given. */
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

  /** Whether a change of this origin was made by a write that was over then. */
  wasBefore(origin: string | undefined, { nextNumber, unsettled }: WritesBefore): boolean {
    const [instance, digits] = origin?.split(':') ?? [];
    const number = Number(digits);
    return instance === this.#instance && number < nextNumber && !unsettled.has(number);
  }

  /** A write that failed may have been applied, or may yet be: it is never called over. */
  #forgetOldest(): void {
    const [oldest] = this.#unsettled;
    if (this.#unsettled.size > MAX_UNSETTLED && oldest !== undefined) this.#unsettled.delete(oldest);
  }
}
