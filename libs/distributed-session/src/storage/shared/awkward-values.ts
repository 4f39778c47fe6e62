/** Bytes that are not text: a server or proxy that treats values as text changes some of them. */
const BYTES = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  // Truncated, overlong and surrogate sequences of UTF-8; escapes of SQL and of Lua; line ends.
  Buffer.from('c3c3a9c080eda080f4908080', 'hex'),
  Buffer.from('\\x00 \\000 \\\\ \\n \r\n \r \n %s $1 {0} \'" ', 'latin1'),
]);

/** What a storage must return as it was written: bytes, longer than a packet of the network, and their parts. */
export const AWKWARD_BYTES: Buffer = Buffer.concat(Array.from({ length: 64 }, () => BYTES));

/** A text with characters that a server may escape, change or reject: the names of users may contain any. */
export const AWKWARD_TEXT =
  '\u0001\t\n\r\u007f\u00a0\u00e9e\u0301\u2028\ud7ff\ue000\ufffd\u{10ffff}\\x41\\u0041\'"`$1%s{}';

/** The highest number that JavaScript and the servers' doubles represent exactly. */
export const HIGHEST_NUMBER = Number.MAX_SAFE_INTEGER;

/** Where a value that was read differs from the one that was written; `undefined` if they are equal. */
export function differenceOf(written: Buffer, read: Buffer): string | undefined {
  if (written.equals(read)) return undefined;
  const at = written.findIndex((byte, index) => byte !== read[index]);
  if (at === -1) return `${written.length} bytes became ${read.length}`;
  const [was, is] = [written, read].map((bytes) => bytes.subarray(at, at + 4).toString('hex'));
  return `${written.length} bytes became ${read.length}, and at position ${at}, ${was} became ${is || 'nothing'}`;
}
