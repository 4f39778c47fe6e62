import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { escapeText, unescapeText } from './escaped-text.js';

/** Well-formed texts, many of which contain escaped characters, or texts that look like escapes. */
const nasty = fc.string({ unit: fc.constantFrom('\0', '\u{FDD0}', '0', '1', 'a', '\u{1F600}'), maxLength: 12 });
const texts = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 40 }));

describe('escapeText()', () => {
  it('is reversed by unescapeText() and never contains the zero byte, for any text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const escaped = escapeText(text);
        expect(escaped).not.toContain('\0');
        expect(unescapeText(escaped)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('returns different forms for different texts', () => {
    fc.assert(
      fc.property(nasty, nasty, (one, other) => {
        expect(escapeText(one) === escapeText(other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['', 'alice', 'älice', '\\0', "'; --", '\u{1F600}', 'a\n\tb', '\u{FDD1}', '\u{FFFF}'])(
    'returns a text that PostgreSQL can store unchanged: %j',
    (text) => {
      expect(escapeText(text)).toBe(text);
    },
  );

  it('keeps the form of the first release', () => {
    expect(escapeText('a\0b\u{FDD0}c')).toBe('a\u{FDD0}0b\u{FDD0}1c');
  });
});
