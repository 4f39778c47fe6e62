/** A change as it is numbered in the feed's table. */
export interface NumberedChange {
  readonly number: number;
  /** Epoch milliseconds. With the number, it identifies the row: after a restore, numbers are given again. */
  readonly publishedAt: number;
  readonly change: string;
}

/** How far a connection has read the feed's table. Every read begins at the last row that was read before. */
export class FeedPosition {
  #last: NumberedChange | undefined;

  /** The number to read from; null for the last one that was published. */
  get number(): number | null {
    return this.#last?.number ?? null;
  }

  /**
   * Moves on to the end of these rows, and returns the ones that are new: none after the first read. Returns `undefined`
   * when rows are missing: they were deleted already, or the table was restored. The next read then is a first one again.
   */
  advance(rows: readonly NumberedChange[]): readonly NumberedChange[] | undefined {
    const last = this.#last;
    this.#last = rows.at(-1);
    if (last === undefined) return [];
    const [first, ...rest] = rows;
    const isComplete = rest.every(({ number }, at) => number === last.number + 1 + at);
    if (first?.number === last.number && first.publishedAt === last.publishedAt && isComplete) return rest;
    this.#last = undefined;
    return undefined;
  }
}
