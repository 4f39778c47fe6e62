import { COMMON_BIGRAMS, KEYBOARD, KNOWN_WORDS } from './predictable-text.js';

/** The information in one character of a class, in bits: 10 digits, 26 letters, 32 symbols. */
const DIGIT_BITS = Math.log2(10);
const LETTER_BITS = Math.log2(26);
const SYMBOL_BITS = Math.log2(32);
/** A letter after a letter that it often follows in English. */
const ENGLISH_BITS = 1.5;

/** Fewer repeated characters occur by chance in random text. */
const MIN_REPEAT = 4;
/** How far a pattern such as `a1b2c3` or `1qaz2wsx` is interleaved. */
const MAX_LAG = 4;

/**
 * Estimates the information in a secret, in bits, from below: repeated parts, sequences, keyboard patterns, known words
 * and English letter pairs count little or nothing. Text of printable characters in base64 or hexadecimal form counts
 * as that text.
 */
export function estimatedBits(secret: string): number {
  return Math.min(...[secret, ...decoded(secret)].map(bitsOf));
}

function bitsOf(text: string): number {
  const folded = text.toLowerCase();
  // Hexadecimal digits are not English, although some of their letter pairs are.
  const isHex = /^[\da-f]*$/.test(folded);
  const free = new Set([...repeatedIn(folded), ...sequencesIn(folded), ...knownIn(folded)]);
  const bits = Array.from(folded, (character, index) => {
    if (free.has(index)) return 0;
    const pair = text.slice(index - 1, index + 1);
    // Words have one case; in random text, it changes at every other letter.
    if (/^(?:[a-z][A-Z]|[A-Z][a-z])$/.test(pair)) return LETTER_BITS + 1;
    return !isHex && COMMON_BIGRAMS.has(pair.toLowerCase()) ? ENGLISH_BITS : bitsOfCharacter(character);
  });
  return bits.reduce((sum, each) => sum + each, 0);
}

function bitsOfCharacter(character: string): number {
  if (/\d/.test(character)) return DIGIT_BITS;
  return /[a-z]/.test(character) ? LETTER_BITS : SYMBOL_BITS;
}

/** Returns the positions in parts that occurred before. */
function repeatedIn(text: string): number[] {
  const repeated: number[] = [];
  for (let start = 1; start + MIN_REPEAT <= text.length; start++) {
    const part = text.slice(start, start + MIN_REPEAT);
    // The earlier part may overlap: "aaaaa" repeats "a".
    if (text.indexOf(part) < start) repeated.push(...range(start, MIN_REPEAT));
  }
  return repeated;
}

/** Returns the positions that continue a sequence of character codes or of keys, such as `abcd`, `aceg` or `1q2w3e4r`. */
function sequencesIn(text: string): number[] {
  const codes = Array.from(text, (character) => character.charCodeAt(0));
  const keys = Array.from(text, (character) => KEYBOARD.get(character) ?? NaN);
  const lags = range(1, MAX_LAG);
  return [codes, keys].flatMap((values) => lags.flatMap((lag) => sequencesAt(lag, values)));
}

function sequencesAt(lag: number, values: readonly number[]): number[] {
  const step = (index: number): number => values[index]! - values[index - lag]!;
  const isNext = (index: number) => step(index) === step(index - lag);
  const least = lag === 1 ? 2 : 3;
  const positions: number[] = [];
  for (let start = 2 * lag; start < values.length; start++) {
    let length = 0;
    while (start + length < values.length && isNext(start + length)) length++;
    if (length >= least) positions.push(...range(start, length));
    start += length;
  }
  return positions;
}

/** Returns the positions in known words, except for the first of each, also if digits replace letters: `p4ssw0rd`. */
function knownIn(text: string): number[] {
  return [text, unleet(text)].flatMap((form) =>
    KNOWN_WORDS.flatMap((word) =>
      [...form.matchAll(word)].flatMap(({ 0: found, index }) => range(index + 1, found.length - 1)),
    ),
  );
}

const LEET: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** Replaces the digits and symbols that stand for letters. */
export function unleet(text: string): string {
  return text.replaceAll(/[013457@$!]/g, (character) => LEET[character]!);
}

/** Returns the printable text that a secret encodes, if there is any. Random bytes are not printable. */
function decoded(secret: string): string[] {
  const encodings = ['hex', 'base64'] as const;
  const forms = { hex: /^(?:[\da-f]{2})+$/i, base64: /^[\w+/-]+={0,2}$/ };
  return encodings
    .filter((encoding) => forms[encoding].test(secret))
    .map((encoding) => Buffer.from(secret, encoding).toString('latin1'))
    .filter((text) => /^[\s\x20-\x7e]+$/.test(text));
}

function range(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index);
}
