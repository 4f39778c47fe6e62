/** A column's value as PostgreSQL's text form. */
export type Cell = string | null;
export type Row = readonly Cell[];

/** A row, or a JSON document in it, was not written by this library. */
export class UnreadableRowError extends Error {}

/** Reads the columns of a row in order. Throws {@link UnreadableRowError} when a column has an unexpected form. */
export class RowReader {
  #at = 0;
  #isDamaged = false;

  constructor(private readonly row: Row) {}

  /** The next column as it is, without moving on. */
  peek(): string | undefined {
    return this.row[this.#at] ?? undefined;
  }

  text(): string {
    const text = this.optionalText();
    if (text === undefined) throw this.unreadable();
    return text;
  }

  optionalText(): string | undefined {
    return this.row[this.#at++] ?? undefined;
  }

  /** A time or a count. */
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

  /** A time or a count; `undefined` if there is none, and if it has an unexpected form: then the row is damaged. */
  readableWhole(): number | undefined {
    const text = this.optionalText();
    if (text === undefined) return undefined;
    const number = Number(text);
    if (Number.isSafeInteger(number) && number >= 0) return number;
    this.#isDamaged = true;
    return undefined;
  }

  /** Whether {@link readableWhole} has found a number of an unexpected form. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  boolean(): boolean {
    return this.text() === 't';
  }

  /** A `bytea` in either of its text forms: `bytea_output` decides which one the server sends. */
  optionalBytes(): Uint8Array | undefined {
    const text = this.optionalText();
    return text === undefined ? undefined : new Uint8Array(bytesOf(text));
  }

  unreadable(): UnreadableRowError {
    return new UnreadableRowError('The row was not written by this library');
  }
}

/** In the form with escapes, no text begins with a backslash and an x: a backslash is two of them, or three octal digits. */
function bytesOf(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  const unescaped = text.replaceAll(/\\(?:\\|([0-7]{3}))/g, (_escape, octal?: string) =>
    octal === undefined ? '\\' : String.fromCodePoint(Number.parseInt(octal, 8)),
  );
  return Buffer.from(unescaped, 'latin1');
}
