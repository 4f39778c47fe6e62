/** How many calls wait for their reply. */
export class InFlightCalls {
  #count = 0;
  #whenSettled: (() => void) | undefined;

  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count === 0) this.#whenSettled?.();
  }

  /** Resolves when there are none, and no call has begun another round. */
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
