import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { assertExactJson, isExactNumber } from './exact-json.js';

describe('isExactNumber()', () => {
  it.each([
    '0',
    '1',
    '-1',
    '1.0',
    '0.10',
    '1e2',
    '1E+2',
    '100e-2',
    '0.1',
    '0e400',
    '0.0',
    '-1.50',
    '5e-324',
    '1e21',
    '1.7976931348623157e308',
    '9007199254740991',
    '9007199254740992',
    '123456789012345680000',
    '0.30000000000000004',
    '1e-7',
    '0.000001',
  ])('accepts %s', (text) => {
    expect(isExactNumber(text)).toBe(true);
  });

  it.each([
    '-0',
    '-0.0',
    '-0e5',
    '9007199254740993',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '1e-400',
    '1e99999999999999999999',
    '1.00000000000000000001',
    '0.1000000000000000055',
    '0.10000000000000001',
    '4.9e-324',
    '3.141592653589793238462643',
  ])('rejects %s', (text) => {
    expect(isExactNumber(text)).toBe(false);
  });

  it('accepts every double in each notation that JavaScript writes, and with zeros added', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        if (Object.is(value, -0)) return;
        const written = JSON.stringify(value);
        for (const text of [written, value.toExponential(), written.replace(/^(-?\d+\.\d+)/, '$100')]) {
          expect([text, isExactNumber(text)]).toEqual([text, true]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('rejects every double with a digit more than its shortest form has', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => value !== 0),
        fc.integer({ min: 1, max: 9 }),
        (value, digit) => {
          const text = value.toExponential(25).replace('e', `${digit}e`);
          expect([text, isExactNumber(text)]).toEqual([text, false]);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('assertExactJson()', () => {
  it.each([
    '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}',
    '{"a":"a","b":"a"}',
    '["a","a",1,1]',
    '{"\\u0061":1,"A":2}',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
    '{"a":"12345678901234567890"}',
    '{"__proto__":{"a":1},"constructor":1}',
    '[[],{},[{}],{"a":{}}]',
    '"-0"',
    '{}',
  ])('accepts %s', (text) => {
    expect(() => assertExactJson(text)).not.toThrow();
  });

  it.each([
    ['{"a":1,"a":2}', 8],
    ['{"a":1,"\\u0061":1}', 8],
    ['{"":1,"":1}', 7],
    ['{"x":[1,{"__proto__":1,"__proto__":1}]}', 24],
    ['{"a":{"b":1},"c":[{}],"a":2}', 23],
    ['{"a":{"k":1,"k":{}}}', 13],
    ['[0,-0]', 4],
    ['{"a":[1.0,12345678901234567890]}', 11],
  ])('rejects %s, and names character %d', (text, place) => {
    const error = {
      status: 400,
      code: 'ERR_REQUEST_JSON',
      message: expect.stringContaining(`character ${place} `) as unknown,
    };
    expect(() => assertExactJson(text)).toThrow(expect.objectContaining(error));
  });

  it('accepts all JSON that JavaScript writes, and leaves other texts to the parser', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => assertExactJson(JSON.stringify(value))).not.toThrow();
      }),
    );
    for (const text of ['', ']}', '{"a', '{"a\\x":1,"a\\x', '{1.2.3', '----', ',,,"a"', '{"a":1,,"b"}', '\u0000']) {
      expect(() => assertExactJson(text)).not.toThrow();
    }
  });
});
