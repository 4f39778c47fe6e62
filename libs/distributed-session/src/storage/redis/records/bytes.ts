/** The length that encodes an absent text. */
const ABSENT = 0xffff;

/** Encodes a text: its length in bytes (two bytes, little-endian), then its bytes in UTF-8. */
export function packText(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.from([0xff, 0xff]);
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length >= ABSENT) throw new RangeError('A text is too long for a record');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads packed values in order. Throws a `RangeError` if a value is too short or invalid. */
export class ByteReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#at === this.bytes.length;
  }

  uint8(): number {
    return this.bytes.readUInt8(this.#skip(1));
  }

  uint16(): number {
    return this.bytes.readUInt16LE(this.#skip(2));
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.#skip(4));
  }

  /** Reads a time or a count: a whole number, stored in eight bytes. */
  whole(): number {
    const number = this.bytes.readDoubleLE(this.#skip(8));
    if (!Number.isSafeInteger(number) || number < 0) throw new RangeError('A number is not a whole number');
    return number;
  }

  text(): string {
    const text = this.optionalText();
    if (text === undefined) throw new RangeError('A text is missing');
    return text;
  }

  optionalText(): string | undefined {
    const length = this.uint16();
    return length === ABSENT ? undefined : this.take(length).toString('utf8');
  }

  /** Returns the next bytes without copying them; without a length, all remaining bytes. */
  take(length = this.bytes.length - this.#at): Buffer {
    const start = this.#skip(length);
    return this.bytes.subarray(start, start + length);
  }

  #skip(length: number): number {
    const start = this.#at;
    if (start + length > this.bytes.length) throw new RangeError('The value is too short');
    this.#at += length;
    return start;
  }
}
