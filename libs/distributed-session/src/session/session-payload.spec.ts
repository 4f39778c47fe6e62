import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { StorageCorruptError } from '../errors/storage.errors.js';
import { type JsonValue, emptyAttributes } from '../model/attributes.js';
import { type SessionPayload, decodePayload, encodePayload } from './session-payload.js';

const payload: SessionPayload = {
  tokenDigest: 'digest',
  attributes: { role: 'CANARY-role', cart: { items: ['CANARY-item', 2, null, true] } },
  client: { ip: '192.0.2.1', userAgent: 'CANARY agent' },
  predecessors: [{ sessionId: 'old-id', tokenDigest: 'old-digest' }],
};

function pack(document: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}

/** Decodes a payload; returns `undefined` if it is corrupt. Any other error fails the test. */
function decoded(bytes: Uint8Array): SessionPayload | undefined {
  try {
    return decodePayload(bytes, 'the-id');
  } catch (error) {
    const { message, cause } = error as StorageCorruptError;
    const isSafe = message.includes('the-id') && !message.includes('CANARY') && cause === undefined;
    if (error instanceof StorageCorruptError && isSafe) return undefined;
    throw error;
  }
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}

describe('A session payload', () => {
  it('survives encoding and decoding, with and without a client and predecessors', () => {
    const json = fc.jsonValue() as fc.Arbitrary<JsonValue>;
    const payloads: fc.Arbitrary<SessionPayload> = fc.record(
      {
        tokenDigest: fc.string(),
        attributes: fc.dictionary(fc.string({ unit: 'binary' }), json).map((a) => Object.assign(emptyAttributes(), a)),
        client: fc.record({ ip: fc.string(), userAgent: fc.string() }, { requiredKeys: [] }),
        predecessors: fc.array(fc.record({ sessionId: fc.string(), tokenDigest: fc.string() })),
      },
      { requiredKeys: ['tokenDigest', 'attributes', 'predecessors'] },
    );
    fc.assert(
      fc.property(payloads, (before) => {
        const after = decodePayload(encodePayload(before), 'id');
        expect(JSON.stringify(after)).toBe(JSON.stringify(before));
      }),
    );
  });

  it('is decoded from a slice of a larger buffer, as drivers return', () => {
    const packed = encodePayload(payload);
    const larger = new Uint8Array(packed.length + 20).fill(0x7b);
    larger.set(packed, 10);
    expect(decodePayload(larger.subarray(10, 10 + packed.length), 'id')).toEqual(decodePayload(packed, 'id'));
  });

  it('is deeply frozen after decoding', () => {
    const after = decodePayload(encodePayload(payload), 'id');
    expect(isDeeplyFrozen(after.attributes)).toBe(true);
    expect(isDeeplyFrozen(after.client)).toBe(true);
    expect(isDeeplyFrozen(after)).toBe(true);
  });

  it('contains prototype names as ordinary keys after decoding', () => {
    const stored = Buffer.from('{"f":1,"t":"x","p":[],"a":{"__proto__":{"admin":true},"constructor":1}}');
    const { attributes } = decodePayload(stored, 'id');
    expect(Object.getPrototypeOf(attributes)).toBeNull();
    expect(Object.keys(attributes)).toEqual(['__proto__', 'constructor']);
    expect(attributes['admin']).toBeUndefined();
  });

  it('with a flipped byte decodes to another payload or is corrupt, without another error or a quoted value', () => {
    const packed = encodePayload(payload);
    let rejected = 0;
    for (let at = 0; at < packed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Uint8Array.from(packed);
        damaged[at]! ^= 1 << bit;
        if (decoded(damaged) === undefined) rejected++;
      }
    }
    expect(rejected).toBeGreaterThan(packed.length);
  });

  it('is corrupt if it is truncated', () => {
    const packed = encodePayload(payload);
    for (let length = 0; length < packed.length; length++) expect(decoded(packed.subarray(0, length))).toBeUndefined();
  });

  it('is corrupt if it is not valid UTF-8, instead of containing replacement characters', () => {
    const packed = encodePayload(payload);
    const damaged = Uint8Array.from(packed);
    damaged[Buffer.from(packed).indexOf('CANARY-role')] = 0xff;
    expect(decoded(damaged)).toBeUndefined();
  });

  it.each([
    ['a number', 5],
    ['null', null],
    ['an array', []],
    ['no format', { t: 'x', a: {}, p: [] }],
    ['no digest', { f: 1, a: {}, p: [] }],
    ['a digest that is not a string', { f: 1, t: 5, a: {}, p: [] }],
    ['no attributes', { f: 1, t: 'x', p: [] }],
    ['attributes in an array', { f: 1, t: 'x', a: ['CANARY'], p: [] }],
    ['attributes that are null', { f: 1, t: 'x', a: null, p: [] }],
    ['a client that is a string', { f: 1, t: 'x', a: {}, c: 'CANARY', p: [] }],
    ['no predecessors', { f: 1, t: 'x', a: {} }],
    ['a predecessor that is not a pair', { f: 1, t: 'x', a: {}, p: ['CANARY'] }],
    ['a predecessor without a digest', { f: 1, t: 'x', a: {}, p: [['id']] }],
  ])('is corrupt if its form is foreign: %s', (_, document) => {
    expect(decoded(pack(document))).toBeUndefined();
  });

  it('of a newer format causes an error that states it', () => {
    const later = pack({ f: 2, t: 'x', a: {}, p: [] });
    expect(decoded(later)).toBeUndefined();
    expect(() => decodePayload(later, 'id')).toThrow(/unknown format/);
  });

  it('is corrupt if it is nested too deeply, without a stack overflow', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(decoded(Buffer.from(`{"f":1,"t":"x","p":[],"a":{"x":${deep}}}`))).toBeUndefined();
  });
});
