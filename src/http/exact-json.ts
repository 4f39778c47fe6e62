import { RequestError } from './problem.js';

/** The characters of a number, from an index on. */
const NUMBER_AT = /-?\d[\d.eE+-]*/y;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Every whole number of up to 15 digits is exact. */
const SHORT_WHOLE_NUMBER = /^-?[1-9]\d{0,14}$|^0$/;

/**
 * Rejects JSON that readers understand in different ways (RFC 7493): a name that occurs twice in an object, and a number
 * that a double does not keep, so that reading it back would return another one. JSON.parse() keeps the last of two
 * names and the nearest double, without an error. A text that is not JSON is left to the parser.
 */
export function assertExactJson(text: string): void {
  /** The names in each open object; `undefined` for an array. */
  const open: (Set<string> | undefined)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    const kind = text[at]!;
    if (kind === '"') {
      const end = endOfString(text, at);
      if (expectsName) addName(open.at(-1), text.slice(at, end + 1), at);
      expectsName = false;
      at = end;
    } else if (kind === '{' || kind === '[') {
      open.push(kind === '{' ? new Set() : undefined);
      expectsName = kind === '{';
    } else if (kind === '}' || kind === ']') {
      open.pop();
      expectsName = false;
    } else if (kind === ',') {
      expectsName = open.at(-1) !== undefined;
    } else if (kind === '-' || (kind >= '0' && kind <= '9')) {
      NUMBER_AT.lastIndex = at;
      const [number = kind] = NUMBER_AT.exec(text) ?? [];
      if (!isExactNumber(number))
        throw inexact(at, 'a number', 'that a double does not keep exactly. Send it as a string');
      at += number.length - 1;
    }
  }
}

/** The index of the quote that ends the string at an index: one that no backslash escapes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function addName(names: Set<string> | undefined, token: string, index: number): void {
  const name = nameIn(token);
  if (names?.has(name)) throw inexact(index, 'a name', 'that its object already has. Send each name once');
  names?.add(name);
}

/** `"\u0061"` and `"a"` are the same name. */
function nameIn(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  try {
    return JSON.parse(token) as string;
  } catch {
    return token;
  }
}

/**
 * Returns whether the shortest form of the double that a number is read as is the number itself, whatever the notation:
 * `1.0`, `1e2` and `0.10` are exact, and `-0`, `1e400` and `0.1000000000000000055` are not.
 *
 * @example
 * isExactNumber('9007199254740993'); // false: it is read as 9007199254740992
 */
export function isExactNumber(text: string): boolean {
  if (SHORT_WHOLE_NUMBER.test(text)) return true;
  const written = decimalOf(text);
  return written === undefined || written === decimalOf(String(Number(text)));
}

/** A number as its sign, its digits without zeros at either end, and its power of ten; `undefined` for any other text. */
function decimalOf(text: string): string | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return `${sign}0`;
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** Gives the place and not the text, which may be a secret. */
function inexact(index: number, what: string, problem: string): RequestError {
  return RequestError.of('ERR_REQUEST_JSON', 'body', `has ${what} at character ${index + 1} ${problem} (RFC 7493).`);
}
