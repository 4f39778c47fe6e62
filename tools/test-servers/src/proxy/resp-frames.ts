const CRLF = Buffer.from('\r\n');
/** Types whose first line contains the number of bytes, or of elements, that follow. */
const BULKS = ['$', '=', '!'];
const LISTS = ['*', '>', '~'];
const MAPS = ['%', '|'];

/** Splits a stream in the protocol of Redis (RESP2 or RESP3) into complete frames. */
export class RespFrames {
  #rest = Buffer.alloc(0);

  /** The frames that are complete after these bytes. */
  add(bytes: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Buffer[] = [];
    for (let end = endOf(this.#rest, 0); end !== undefined; end = endOf(this.#rest, 0)) {
      frames.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

/** The end of the frame at a position, or `undefined` if it is not complete. */
function endOf(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf(CRLF, start);
  if (lineEnd === -1) return undefined;
  const type = String.fromCharCode(bytes[start]!);
  const length = Number(bytes.toString('latin1', start + 1, lineEnd));
  const afterLine = lineEnd + CRLF.length;
  if (BULKS.includes(type)) {
    if (length < 0) return afterLine;
    const end = afterLine + length + CRLF.length;
    return end <= bytes.length ? end : undefined;
  }
  const elements = LISTS.includes(type) ? length : MAPS.includes(type) ? 2 * length : 0;
  let end: number | undefined = afterLine;
  for (let n = 0; n < elements && end !== undefined; n++) end = endOf(bytes, end);
  return end;
}

/** The texts of a frame that is a list of bulk strings, such as a command. */
export function textsOf(frame: Buffer): string[] {
  const texts: string[] = [];
  let at = frame.indexOf(CRLF) + CRLF.length;
  while (at < frame.length) {
    const lineEnd = frame.indexOf(CRLF, at);
    const isBulk = frame[at] === '$'.charCodeAt(0);
    const length = isBulk ? Number(frame.toString('latin1', at + 1, lineEnd)) : 0;
    const start = isBulk ? lineEnd + CRLF.length : at + 1;
    const end = isBulk ? start + length : lineEnd;
    texts.push(frame.toString('latin1', start, end));
    at = end + CRLF.length;
  }
  return texts;
}
