import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  DEFAULT_ATTRIBUTE_LIMITS,
  type AttributePatch,
  type JsonValue,
  type SessionAttributes,
  attributesFrom,
} from '../model/attributes.js';
import { applyPatch, checkAttributes, checkPatch } from './checked-patch.js';

/** Whether JSON keeps all numbers of a value: not -0, nor whole numbers whose digits it may lose. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number')
    return !Object.is(value, -0) && (Number.isSafeInteger(value) || !Number.isInteger(value));
  return typeof value !== 'object' || value === null || Object.values(value).every(isExact);
}

const LIMITS = { ...DEFAULT_ATTRIBUTE_LIMITS, maxCount: 3, maxTotalBytes: 60 };

function attributes(values: Record<string, JsonValue>): SessionAttributes {
  return attributesFrom(Object.entries(values));
}

const check = (patch: unknown) => checkPatch(patch as AttributePatch, LIMITS);
const apply = (current: SessionAttributes, patch: AttributePatch) => applyPatch(current, check(patch), LIMITS);
const failing = (fields: object) => expect.objectContaining({ code: 'ERR_SESSION_INPUT', ...fields });

describe('The limits of a patch', () => {
  it('reject more attributes than a session may have before reading one', () => {
    const looked: string[] = [];
    const names = Array.from({ length: DEFAULT_ATTRIBUTE_LIMITS.maxCount + 1 }, (_, n) => `key${n}`);
    const set = new Proxy(Object.fromEntries(names.map((name) => [name, 1])), {
      get: (target, name) => {
        looked.push(String(name));
        return target[String(name)];
      },
    });
    expect(() => checkPatch({ set }, DEFAULT_ATTRIBUTE_LIMITS)).toThrow(/at most 100 keys\.$/);
    expect(looked).toEqual([]);
  });

  it('reject removing more keys than any session has', () => {
    const remove = Array.from({ length: 10_001 }, (_, n) => `key${n}`);
    expect(() => checkPatch({ remove }, DEFAULT_ATTRIBUTE_LIMITS)).toThrow(/at most 10000 keys/);
    expect(checkPatch({ remove: remove.slice(1) }, DEFAULT_ATTRIBUTE_LIMITS).remove.size).toBe(10_000);
  });

  it('accept as many attributes as the session already has under higher limits', () => {
    const limits = { ...DEFAULT_ATTRIBUTE_LIMITS, maxCount: 2 };
    expect(checkAttributes({ a: 1, b: 2, c: 3 }, limits, 3).size).toBe(3);
    expect(() => checkAttributes({ a: 1, b: 2, c: 3 }, limits, 2)).toThrow(/at most 2 keys\.$/);
  });
});

describe('checkPatch', () => {
  it.each([
    [null, 'patch', 'type'],
    ['role', 'patch', 'type'],
    [{ sets: {} }, 'patch.sets', 'unknown-field'],
    [{ set: ['a'] }, 'attributes', 'type'],
    [{ set: 'a' }, 'attributes', 'type'],
    [{ remove: 'a' }, 'patch.remove', 'type'],
    [{ remove: new Set(['a']) }, 'patch.remove', 'type'],
    [{ remove: [''] }, 'attribute key', 'attribute-key'],
    [{ remove: [1] }, 'attribute key', 'attribute-key'],
    [{ set: { '': 1 } }, 'attribute key', 'attribute-key'],
    [{ set: { ['k'.repeat(129)]: 1 } }, 'attribute key', 'attribute-key-length'],
    [{ remove: ['k'.repeat(129)] }, 'attribute key', 'attribute-key-length'],
    [{ set: { a: 1, b: { c: NaN } } }, 'attributes.b.c', 'attribute-value'],
    [{ set: { a: undefined } }, 'attributes.a', 'attribute-value'],
  ])('rejects %j and names the field', (patch, field, constraint) => {
    expect(() => check(patch)).toThrow(failing({ field, constraint }));
  });

  it.each([
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set(['a'])],
    ['a Date', new Date(0)],
  ])('rejects %s as the attributes instead of treating it as an empty object', (_, set) => {
    expect(() => check({ set })).toThrow(failing({ field: 'attributes', constraint: 'type' }));
  });

  it('rejects a key that is both set and removed', () => {
    expect(() => check({ set: { a: 1, b: 2 }, remove: ['b'] })).toThrow(
      failing({ field: 'attributes.b', constraint: 'attribute-key' }),
    );
  });

  it('copies immediately, so that later changes of the given patch have no effect', () => {
    const patch = { set: { cart: [1] }, remove: ['role'] };
    const checked = check(patch);
    patch.set.cart.push(2);
    patch.remove.push('name');
    expect(checked).toEqual({ set: new Map([['cart', [1]]]), remove: new Set(['role']) });
  });

  it('accepts an empty patch', () => {
    for (const patch of [{}, { set: undefined, remove: undefined }]) {
      expect(check(patch)).toEqual({ set: new Map(), remove: new Set() });
    }
  });
});

describe('applyPatch', () => {
  it('sets, replaces and removes the named keys and keeps all others', () => {
    const before = attributes({ a: 1, b: 2, c: 3 });
    expect(apply(before, { set: { b: 'two' }, remove: ['c', 'unknown'] })).toEqual(attributes({ a: 1, b: 'two' }));
    expect(before).toEqual(attributes({ a: 1, b: 2, c: 3 }));
  });

  it('changes attributes as the same steps change a Map', () => {
    const wide = { ...LIMITS, maxCount: 100, maxTotalBytes: 10_000 };
    const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'toString');
    const step = fc.record({
      set: fc.dictionary(key, fc.jsonValue({ maxDepth: 1 }).filter(isExact)),
      remove: fc.array(key),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const model = new Map<string, unknown>();
        let current = attributes({});
        for (const { set, remove } of steps) {
          const removed = remove.filter((name) => !Object.hasOwn(set, name));
          for (const name of removed) model.delete(name);
          for (const [name, value] of Object.entries(set)) model.set(name, value);
          current = applyPatch(current, checkPatch({ set, remove: removed }, wide), wide);
        }
        expect(new Map(Object.entries(current))).toEqual(model);
        expect(Object.getPrototypeOf(current)).toBe(Object.prototype);
      }),
    );
  });

  it('returns the same object if it changes nothing, and a frozen one otherwise', () => {
    const before = attributes({ a: 1 });
    expect(apply(before, {})).toBe(before);
    expect(apply(before, { remove: ['b', 'toString', '__proto__'] })).toBe(before);
    expect(Object.isFrozen(apply(before, { set: { b: 2 } }))).toBe(true);
  });

  it('sets prototype names as ordinary keys', () => {
    const after = apply(attributes({}), { set: Object.fromEntries([['__proto__', { admin: true }]]) });
    expect(Object.keys(after)).toEqual(['__proto__']);
    expect(after['admin']).toBeUndefined();
    expect(apply(after, { remove: ['__proto__'] })).toEqual(attributes({}));
  });

  it('rejects one attribute above the limit, and accepts it in exchange for another', () => {
    const full = attributes({ a: 1, b: 2, c: 3 });
    expect(() => apply(full, { set: { d: 4 } })).toThrow(failing({ constraint: 'attribute-count', limit: 3 }));
    expect(apply(full, { set: { d: 4 }, remove: ['a'] })).toEqual(attributes({ b: 2, c: 3, d: 4 }));
    expect(apply(full, { set: { c: 'three' } })).toEqual(attributes({ a: 1, b: 2, c: 'three' }));
  });

  it('rejects one byte above the total, counted in UTF-8 with keys and punctuation', () => {
    const most = { k: '€'.repeat(17) + 'x' }; // {"k":"…"} is 8 bytes around 52
    expect(Buffer.byteLength(JSON.stringify(most))).toBe(60);
    expect(apply(attributes({}), { set: most })).toEqual(attributes(most));
    expect(() => apply(attributes({}), { set: { k: `${most.k}x` } })).toThrow(
      failing({ constraint: 'attributes-total-size', limit: 60 }),
    );
  });

  it('lets attributes that already exceed the limits be changed and removed, but not grow', () => {
    const many = attributes({ a: 1, b: 2, c: 3, d: 4, e: 5 });
    expect(apply(many, { set: { a: 9 } })).toMatchObject({ a: 9, e: 5 });
    expect(Object.keys(apply(many, { remove: ['a'] }))).toHaveLength(4);
    expect(() => apply(many, { set: { f: 6 } })).toThrow(failing({ constraint: 'attribute-count' }));
    const large = attributes({ a: 'x'.repeat(80) });
    expect(apply(large, { set: { a: 'x'.repeat(79) } })).toEqual({ a: 'x'.repeat(79) });
    expect(apply(large, { set: { a: 'y'.repeat(80) } })).toEqual({ a: 'y'.repeat(80) });
    expect(() => apply(large, { set: { a: 'x'.repeat(81) } })).toThrow(
      failing({ constraint: 'attributes-total-size' }),
    );
  });

  it('quotes no value in its errors', () => {
    const canary = 'canary-attribute-value-that-is-too-long-for-the-total-of-sixty-bytes';
    expect(() => apply(attributes({}), { set: { a: canary } })).toThrow(
      failing({ message: expect.not.stringContaining('canary') }),
    );
  });
});
