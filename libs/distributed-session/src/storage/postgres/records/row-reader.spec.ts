import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type Cell, RowReader, UnreadableRowError } from './row-reader.js';

const read = (...row: readonly Cell[]) => new RowReader(row);

/** Bytes as PostgreSQL sends them with `bytea_output = escape`. */
function escaped(bytes: Uint8Array): string {
  const characters = [...bytes].map((byte) => {
    if (byte === 0x5c) return '\\\\';
    const isPrintable = byte >= 0x20 && byte <= 0x7e;
    return isPrintable ? String.fromCodePoint(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return characters.join('');
}

describe('RowReader', () => {
  it('reads the columns in order, each as the requested type', () => {
    const row = read('alice', null, '', '7', null, 't', 'f', '\\x00ff', null);
    expect([row.text(), row.optionalText(), row.text()]).toEqual(['alice', undefined, '']);
    expect([row.whole(), row.optionalWhole()]).toEqual([7, undefined]);
    expect([row.boolean(), row.boolean()]).toEqual([true, false]);
    expect([row.optionalBytes(), row.optionalBytes()]).toEqual([Uint8Array.of(0, 255), undefined]);
  });

  it('peeks at the next column without moving on', () => {
    const row = read('alice', null);
    expect([row.peek(), row.text(), row.peek(), row.optionalText()]).toEqual(['alice', 'alice', undefined, undefined]);
  });

  it('reads every non-negative safe integer, and rejects all other numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (number) => {
        expect(read(String(number)).whole()).toBe(number);
      }),
    );
    for (const cell of ['-1', '1.5', '9007199254740993', '9223372036854775807', 'NaN', 'Infinity', 'x', '1x']) {
      expect(() => read(cell).whole()).toThrow(UnreadableRowError);
      expect(() => read(cell).optionalWhole()).toThrow(UnreadableRowError);
    }
  });

  it.each(['text', 'whole', 'boolean'] as const)('%s() rejects a null or missing column', (kind) => {
    expect(() => read(null)[kind]()).toThrow(UnreadableRowError);
    expect(() => read()[kind]()).toThrow(UnreadableRowError);
  });

  it('reads any bytes, in both forms, into their own buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        for (const text of [`\\x${Buffer.from(bytes).toString('hex')}`, escaped(bytes)]) {
          const value = read(text).optionalBytes();
          expect(value).toEqual(new Uint8Array(bytes));
          expect(value!.buffer.byteLength).toBe(bytes.length);
        }
      }),
    );
  });
});
