import { describe, expect, it } from '@jest/globals';
import { AWKWARD_BYTES, AWKWARD_TEXT, differenceOf } from './awkward-values.js';

describe('the values of the checks at start', () => {
  it('contain every byte, and do not survive as text in any encoding', () => {
    expect(new Set(AWKWARD_BYTES).size).toBe(256);
    for (const encoding of ['utf8', 'latin1', 'utf16le', 'ascii'] as const) {
      expect(Buffer.from(AWKWARD_BYTES.toString(encoding), 'utf8').equals(AWKWARD_BYTES)).toBe(false);
    }
  });

  it('include a text that is not in normal form, and has characters that escapes use', () => {
    expect(AWKWARD_TEXT.normalize()).not.toBe(AWKWARD_TEXT);
    expect(AWKWARD_TEXT.isWellFormed?.() ?? true).toBe(true);
    for (const character of ['\\', "'", '"', '\n', '$', '%', '\u{10ffff}']) expect(AWKWARD_TEXT).toContain(character);
  });
});

describe('differenceOf()', () => {
  it('names the first difference, and both lengths', () => {
    const bytes = Buffer.from('00ff0102', 'hex');
    expect(differenceOf(bytes, Buffer.from(bytes))).toBeUndefined();
    expect(differenceOf(bytes, Buffer.from('00fe0102', 'hex'))).toBe(
      '4 bytes became 4, and at position 1, ff0102 became fe0102',
    );
    expect(differenceOf(bytes, bytes.subarray(0, 3))).toBe('4 bytes became 3, and at position 3, 02 became nothing');
    expect(differenceOf(bytes, Buffer.concat([bytes, bytes]))).toBe('4 bytes became 8');
  });
});
