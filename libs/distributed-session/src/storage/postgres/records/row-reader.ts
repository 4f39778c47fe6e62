/** A value of PostgreSQL as its text, whatever parsers the process has set for other uses of `pg`. */
export type Cell = string | null;
export type Row = readonly Cell[];

/** A row, or a document in it, that this library did not write. */
export class UnreadableRowError extends Error {}

/** Reads the columns of a row, first to last. Throws {@link UnreadableRowError} where one is not what was expected. */
export class RowReader {
  #at = 0;

  constructor(private readonly row: Row) {}

  text(): string {
    const text = this.optionalText();
    if (text === undefined) throw this.unreadable();
    return text;
  }

  optionalText(): string | undefined {
    return this.row[this.#at++] ?? undefined;
  }

  /** A time, or a count. */
  whole(): number {
    const number = this.optionalWhole();
    if (number === undefined) throw this.unreadable();
    return number;
  }

  optionalWhole(): number | undefined {
    const text = this.optionalText();
    if (text === undefined) return undefined;
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < 0) throw this.unreadable();
    return number;
  }

  boolean(): boolean {
    return this.text() === 't';
  }

  /** A `bytea` in its hexadecimal form, `\x` before it. */
  optionalBytes(): Uint8Array | undefined {
    const text = this.optionalText();
    return text === undefined ? undefined : new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  }

  unreadable(): UnreadableRowError {
    return new UnreadableRowError('The row is none of this library');
  }
}
