import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { StorageCorruptError, StorageNewerFormatError } from '../errors/storage.errors.js';
import { type JsonValue, attributesFrom } from '../model/attributes.js';
import { type SessionPayload, decodePayload, encodePayload } from './session-payload.js';

const payload: SessionPayload = {
  attributes: { role: 'CANARY-role', cart: { items: ['CANARY-item', 2, null, true] } },
  client: { ip: '192.0.2.1', userAgent: 'CANARY agent' },
};

function pack(document: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}

/** Decodes a payload; returns `undefined` if it cannot be read. Any other error fails the test. */
function decoded(bytes: Uint8Array): SessionPayload | undefined {
  try {
    return decodePayload(bytes, 'the-id');
  } catch (error) {
    const { message, cause } = error as StorageCorruptError;
    const isSafe = message.includes('the-id') && !message.includes('CANARY') && cause === undefined;
    const isUnreadable = error instanceof StorageCorruptError || error instanceof StorageNewerFormatError;
    if (isUnreadable && isSafe) return undefined;
    throw error;
  }
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}

describe('A session payload', () => {
  it('survives encoding and decoding, with and without a client', () => {
    const json = fc.jsonValue() as fc.Arbitrary<JsonValue>;
    const payloads: fc.Arbitrary<SessionPayload> = fc.record(
      {
        attributes: fc.dictionary(fc.string({ unit: 'binary' }), json).map((a) => attributesFrom(Object.entries(a))),
        client: fc.record({ ip: fc.string(), userAgent: fc.string() }, { requiredKeys: [] }),
      },
      { requiredKeys: ['attributes'] },
    );
    fc.assert(
      fc.property(payloads, (before) => {
        const after = decodePayload(encodePayload(before), 'id');
        expect(JSON.stringify(after)).toBe(JSON.stringify(before));
      }),
    );
  });

  it('of the first format is decoded with the token digest, without its predecessors', () => {
    const first = { f: 1, t: 'digest', a: payload.attributes, c: payload.client, p: [['old-id', 'old-digest']] };
    const decoding = decodePayload(pack(first), 'id');
    expect(JSON.stringify(decoding)).toBe(JSON.stringify({ ...payload, tokenDigest: 'digest' }));
    expect(decodePayload(encodePayload(decoding), 'id')).not.toHaveProperty('tokenDigest');
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
    const stored = Buffer.from('{"f":2,"a":{"__proto__":{"admin":true},"constructor":1}}');
    const { attributes } = decodePayload(stored, 'id');
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
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
    ['no format', { a: {} }],
    ['no attributes', { f: 2 }],
    ['attributes in an array', { f: 2, a: ['CANARY'] }],
    ['attributes that are null', { f: 2, a: null }],
    ['a client that is a string', { f: 2, a: {}, c: 'CANARY' }],
    ['a digest in the present format', { f: 2, t: 'CANARY', a: {} }],
    ['no digest in the first format', { f: 1, a: {}, p: [] }],
    ['a digest that is not a string', { f: 1, t: 5, a: {}, p: [] }],
  ])('is corrupt if its form is foreign: %s', (_, document) => {
    expect(decoded(pack(document))).toBeUndefined();
  });

  it('of a newer format, whatever else it contains, causes an error that names the way out', () => {
    for (const later of [{ f: 3, a: {} }, { f: 3 }, { f: 1_000, a: 'packed', t: 7 }]) {
      expect(() => decodePayload(pack(later), 'id')).toThrow(
        expect.objectContaining({
          code: 'ERR_STORAGE_NEWER_FORMAT',
          message: expect.stringMatching(/session id .*Upgrade/),
        }),
      );
    }
  });

  it.each([0, -1, 2.5, '3', null, 1e300, [3]])('of the format %j is corrupt, and of no later release', (format) => {
    expect(() => decodePayload(pack({ f: format, a: {} }), 'id')).toThrow(StorageCorruptError);
  });

  it('keeps what a later release has added to it and to the client, and shows only what this release knows', () => {
    const client = { ip: '192.0.2.1', location: 'DE' };
    const later = { f: 2, a: { role: 'admin' }, c: client, z: { scopes: ['all'] }, __proto__x: 1 };
    const read = decodePayload(pack(later), 'id');
    expect(read).toMatchObject({ attributes: { role: 'admin' }, client: { ip: '192.0.2.1' } });
    expect(Object.keys(read.client!)).toEqual(['ip']);
    const written = encodePayload({ ...read, attributes: { role: 'user' } });
    expect(JSON.parse(Buffer.from(written).toString())).toEqual({ ...later, a: { role: 'user' } });
    expect(isDeeplyFrozen(read)).toBe(true);
  });

  it('is corrupt if it is nested too deeply, without a stack overflow', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(decoded(Buffer.from(`{"f":2,"a":{"x":${deep}}}`))).toBeUndefined();
  });
});
