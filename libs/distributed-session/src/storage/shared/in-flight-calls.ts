/** Counts the calls in flight: those that have begun and not yet ended. */
export class InFlightCalls {
  #count = 0;
  #whenSettled: (() => void) | undefined;

  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count === 0) this.#whenSettled?.();
  }

  /** Resolves when no call is in flight. Waits one turn of the event loop: a call that ends may begin another one. */
  async settled(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#count > 0) {
      await new Promise<void>((resolve) => {
        this.#whenSettled = resolve;
      });
      await new Promise(setImmediate);
    }
  }
}
