/**
 * A new stream begins at the server's time in milliseconds times this, plus 1: its numbers are higher than those before
 * the server has lost its data, and its first change is recognisable.
 */
export const FIRST_NUMBER_UNIT = 1_000;

/** A stream with a message that may have been repeated, or may show that its numbers went back. */
export interface DoubtfulStream {
  readonly stream: string;
  /** The number of its last change that was received. */
  readonly last: number;
  /** The number of such messages. */
  readonly messages: number;
}

interface Doubt {
  /** The feed is complete up to this time in spite of the doubt. */
  readonly until: number;
  readonly messages: number;
}

/**
 * The numbers of the changes that were received on each stream. They show whether a change is missing or repeated.
 *
 * A number that is not new belongs to a repeated message, which must be ignored; or the stream went back, because a
 * failover or a restored snapshot lost changes. Only the stored number can tell: until it is read, the stream is in doubt.
 */
export class StreamNumbers {
  /** The number of the last change that was received or existed before the subscription. */
  readonly #last = new Map<string, number>();
  /** The number of each stream in its last heartbeat on this connection. */
  readonly #counted = new Map<string, number>();
  /** The streams whose next change on this connection must have the next number. */
  readonly #connected = new Set<string>();
  readonly #doubts = new Map<string, Doubt>();

  /** Sets the numbers before the first subscription. */
  startAfter(numbers: ReadonlyMap<string, number>): void {
    for (const [stream, number] of numbers) this.#last.set(stream, number);
  }

  /** Changes were missed: the next number of each stream may be any that is new. */
  reopened(): void {
    this.#counted.clear();
    this.#connected.clear();
  }

  /** Records a change. Returns whether it is the next one, others before it are missing, or its number is not new. */
  receive(stream: string, number: number): 'next' | 'after-missing' | 'not-new' {
    const last = this.#last.get(stream) ?? 0;
    if (number <= last) return 'not-new';
    const isNext = number === last + 1 || (last === 0 && number % FIRST_NUMBER_UNIT === 1);
    const isMissing = this.#connected.has(stream) && !isNext;
    this.#last.set(stream, number);
    this.#connected.add(stream);
    return isMissing ? 'after-missing' : 'next';
  }

  /** Records the number in a heartbeat. Returns whether a change is missing, or the stream went back. */
  isInterrupted(stream: string, number: number): boolean {
    const last = this.#last.get(stream) ?? 0;
    const wentBack = number < (this.#counted.get(stream) ?? 0);
    const isMissing = this.#connected.has(stream) && number > last;
    this.#counted.set(stream, number);
    this.#connected.add(stream);
    this.#last.set(stream, wentBack ? number : Math.max(number, last));
    return wentBack || isMissing;
  }

  /** Puts a stream in doubt. If it went back, it did so after `completeUntil`. */
  doubt(stream: string, completeUntil: number): void {
    const { until = completeUntil, messages = 0 } = this.#doubts.get(stream) ?? {};
    this.#doubts.set(stream, { until, messages: messages + 1 });
  }

  get doubtful(): readonly DoubtfulStream[] {
    return Array.from(this.#doubts, ([stream, { messages }]) => {
      return { stream, last: this.#last.get(stream) ?? 0, messages };
    });
  }

  /**
   * Settles a doubt by the stored number, which was read at `readAt` or later. Returns whether the stream went back, so
   * that changes were ignored.
   */
  settle({ stream, last, messages }: DoubtfulStream, stored: number, readAt: number): boolean {
    const wentBack = stored < last;
    // Messages that arrived after the number was read are still in doubt.
    const isSettled = wentBack || this.#doubts.get(stream)?.messages === messages;
    if (isSettled) this.#doubts.delete(stream);
    else this.#doubts.set(stream, { until: readAt, messages: 1 });
    if (wentBack) {
      this.#last.set(stream, stored);
      this.#connected.delete(stream);
    }
    return wentBack;
  }

  /** Until when the feed is complete, as far as doubts are concerned. */
  get completeUntil(): number {
    return Math.min(...Array.from(this.#doubts.values(), ({ until }) => until));
  }
}
