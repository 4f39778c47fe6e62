import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { SessionInputError } from '../errors/session.errors.js';
import { FakeClock } from '../testing/fake-clock.js';
import { DEFAULT_ATTRIBUTE_LIMITS } from '../model/attributes.js';
import { assertAttributeKey, copyAttributeValue } from './attribute-value.js';
import { decodePayload, encodePayload } from './session-payload.js';

const LIMITS = { ...DEFAULT_ATTRIBUTE_LIMITS, maxValueBytes: 1_000, maxDepth: 4 };
const copy = (value: unknown) => copyAttributeValue(value, 'attributes.x', LIMITS);

function rejection(value: unknown): SessionInputError {
  try {
    copy(value);
  } catch (error) {
    if (error instanceof SessionInputError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

/** Returns the copy, or the error. */
function accepted(value: unknown): unknown {
  try {
    return copy(value);
  } catch (error) {
    return error;
  }
}

/** Whether JSON keeps all numbers of a value. */
function isExact(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) {
    return (
      typeof value !== 'number' ||
      (!Object.is(value, -0) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(`${value}`)))
    );
  }
  return Object.values(value).every(isExact);
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

describe('copyAttributeValue', () => {
  it('preserves every JSON value through the stored form and back, or rejects it', () => {
    const wide = { ...DEFAULT_ATTRIBUTE_LIMITS, maxValueBytes: 2 ** 20, maxDepth: 100 };
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        let kept: unknown;
        try {
          const packed = encodePayload({ attributes: { x: copyAttributeValue(value, 'x', wide) } });
          kept = decodePayload(packed, 'id').attributes['x'];
        } catch (error) {
          kept = (error as SessionInputError).constraint;
        }
        expect(kept).toEqual(isExact(value) ? value : 'attribute-value');
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['-0', -0],
    ['the first whole number that has a neighbour with the same value', 2 ** 53],
    ['its negative', -(2 ** 53)],
    ['the largest whole number that JSON writes with all digits', 999_999_999_999_999_900_000],
    ['a lone high surrogate', 'a\ud800b'],
    ['a lone low surrogate', '\udc00'],
    ['a name with a lone surrogate', { '\ud800': 1 }],
    ['a symbol among the names', { [Symbol('s')]: 1, a: 1 }],
    ['a property that is not enumerable', Object.defineProperty({ a: 1 }, 'hidden', { value: 1 })],
    ['an array with a property', Object.assign([1, 2], { total: 3 })],
    ['a match of a regular expression', /b/.exec('abc')],
  ])('rejects %s, which JSON does not keep exactly, alone and nested', (_, value) => {
    const wrong = { constraint: 'attribute-value', message: expect.stringContaining('JSON keeps exactly') as unknown };
    expect(rejection(value)).toMatchObject({ field: 'attributes.x', ...wrong });
    expect(rejection({ a: [0, value] })).toMatchObject({ field: 'attributes.x.a[1]', ...wrong });
  });

  it.each([[0], [-1], [Number.MAX_SAFE_INTEGER], [Number.MIN_SAFE_INTEGER], [0.1], [5e-324], [1e21], [-1.5e300]])(
    'accepts %d, which every JSON reader keeps',
    (value) => {
      expect(copy([value])).toEqual([value]);
    },
  );

  it('accepts or rejects any value with a SessionInputError, and never changes the value', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true }), (value) => {
        const before = fc.stringify(value);
        const outcome = accepted(value);
        expect(outcome instanceof SessionInputError || JSON.stringify(outcome) === JSON.stringify(value)).toBe(true);
        expect(fc.stringify(value)).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['a Date', new Date(0)],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a typed array', new Uint8Array(2)],
    ['a boxed string', Object('text')],
    ['an instance of a class', new FakeClock()],
    ['an object that inherits', Object.create({ inherited: 1 })],
  ])('rejects %s, alone and nested', (_, value) => {
    expect(rejection(value)).toMatchObject({ field: 'attributes.x', constraint: 'attribute-value' });
    expect(rejection({ a: [0, value] })).toMatchObject({ field: 'attributes.x.a[1]', constraint: 'attribute-value' });
  });

  it('rejects a toJSON method, so that its result is never written', () => {
    expect(rejection({ toJSON: () => 'other' })).toMatchObject({ field: 'attributes.x.toJSON' });
    expect(rejection(Object.assign([1, 2], { toJSON: () => 'other' }))).toMatchObject({ field: 'attributes.x' });
  });

  it('rejects the holes of a sparse array', () => {
    const sparse = [1];
    sparse[2] = 3;
    expect(rejection(sparse)).toMatchObject({ field: 'attributes.x[1]', constraint: 'attribute-value' });
    expect(rejection(Object.assign([], { length: 2 ** 31 }))).toMatchObject({ constraint: 'attribute-value-size' });
  });

  it('rejects circular references, and accepts shared ones', () => {
    const cycle: Record<string, unknown> = { list: [] };
    (cycle['list'] as unknown[]).push(cycle);
    expect(rejection(cycle)).toMatchObject({ field: 'attributes.x.list[0]', constraint: 'attribute-value' });
    const shared = { n: 1 };
    expect(copy({ a: shared, b: [shared, shared] })).toEqual({ a: { n: 1 }, b: [{ n: 1 }, { n: 1 }] });
  });

  it('accepts plain objects of another realm and without a prototype', () => {
    expect(copy(runInNewContext('({ a: [1] })'))).toEqual({ a: [1] });
    expect(copy(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
  });

  it('returns a deeply frozen copy that later changes of the original do not affect', () => {
    const original = { list: [{ n: 1 }] };
    const copied = copy(original) as typeof original;
    original.list[0]!.n = 2;
    original.list.push({ n: 3 });
    expect(copied).toEqual({ list: [{ n: 1 }] });
    for (const part of [copied, copied.list, copied.list[0]]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('reads a getter once, for the check and the write', () => {
    let reads = 0;
    const value = {
      get role() {
        reads++;
        return reads === 1 ? 'user' : 10n;
      },
    };
    expect(copy(value)).toEqual({ role: 'user' });
    expect(reads).toBe(1);
  });

  it('reads a proxy of an object or array once, for the check and the write', () => {
    const answers = [1, 10n, NaN];
    let reads = 0;
    const handler: ProxyHandler<object> = {
      get: (target, key, receiver) =>
        key === 'n' || key === '0' ? answers[reads++] : (Reflect.get(target, key, receiver) as unknown),
    };
    expect(copy(new Proxy({ n: 0 }, handler))).toEqual({ n: 1 });
    reads = 0;
    expect(copy(new Proxy([0], handler))).toEqual([1]);
  });

  it('keeps prototype names as ordinary keys that change no prototype', () => {
    const value: unknown = JSON.parse(
      '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"prototype":1}',
    );
    const copied = copy(value) as Record<string, unknown>;
    expect(Object.keys(copied)).toEqual(['__proto__', 'constructor', 'prototype']);
    expect(Object.getPrototypeOf(copied)).toBe(Object.prototype);
    expect(copied['admin']).toBeUndefined();
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    expect(JSON.stringify(copied)).toBe(JSON.stringify(value));
  });

  it('accepts nesting up to the limit and rejects one level more', () => {
    expect(copy(nested(4))).toEqual(nested(4));
    expect(rejection(nested(5))).toMatchObject({ field: 'attributes.x', constraint: 'attribute-depth', limit: 4 });
    expect(rejection(nested(5_000))).toMatchObject({ constraint: 'attribute-depth' });
  });

  it('accepts JSON up to the limit in UTF-8 bytes and rejects one byte more', () => {
    const tooLarge = { field: 'attributes.x', constraint: 'attribute-value-size', limit: 1_000 };
    expect(copy('a'.repeat(998))).toHaveLength(998);
    expect(rejection('a'.repeat(999))).toMatchObject(tooLarge);
    expect(copy('€'.repeat(332))).toHaveLength(332);
    expect(rejection('€'.repeat(333))).toMatchObject(tooLarge);
    expect(rejection('\u0000'.repeat(200))).toMatchObject(tooLarge);
    expect(rejection({ ['k'.repeat(999)]: 1 })).toMatchObject(tooLarge);
  });

  it('stops reading a value that is certainly too large', () => {
    let reads = 0;
    const endless = {
      *[Symbol.iterator]() {
        for (;;) yield reads++;
      },
    };
    expect(
      rejection(Object.setPrototypeOf([], Object.setPrototypeOf(endless, Array.prototype) as object)),
    ).toMatchObject({ constraint: 'attribute-value-size' });
    expect(reads).toBeLessThanOrEqual(LIMITS.maxValueBytes);
  });
});

const check = (key: unknown) => () => assertAttributeKey(key, 'attribute key', LIMITS);

describe('assertAttributeKey', () => {
  it('accepts any string from one character up to the limit, including prototype names', () => {
    for (const key of ['a', 'k'.repeat(128), '__proto__', 'constructor', 'a b.\u0000€']) {
      expect(check(key)).not.toThrow();
    }
  });

  it('rejects an empty, long or non-string key, each with its own constraint', () => {
    for (const key of ['', undefined, null, 1, Symbol('k'), ['a']]) {
      expect(check(key)).toThrow(expect.objectContaining({ constraint: 'attribute-key' }));
    }
    const long = { constraint: 'attribute-key-length', limit: 128, message: expect.not.stringContaining('kkk') };
    expect(check('k'.repeat(129))).toThrow(expect.objectContaining(long));
  });
});
