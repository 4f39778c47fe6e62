import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { double, packedText, uint32 } from '../../../../../../test/support/redis/packed-session.js';
import { serviceArbitrary } from '../../../../../../test/support/storage/record-arbitraries.js';
import type { ServiceCredentialRecord, StoredServiceSecret } from '../../service-credential-storage.js';
import { unpackRedisService } from './stored-service.js';
import { UnreadableValueError } from './stored-session.js';

const NOW = 1_700_000_000_000;

/** The value as the scripts pack it. */
function packedService({ version, createdAt, serviceId, serviceName, permissions, secrets }: ServiceCredentialRecord) {
  return Buffer.concat([
    Buffer.from([1]),
    uint32(version),
    double(createdAt),
    ...[serviceId, serviceName, JSON.stringify(permissions)].map(packedText),
    Buffer.from([secrets.length]),
    ...secrets.map(packedSecret),
  ]);
}

function packedSecret({ keyId, hash, createdAt, endsAt = 0, lastUsedAt = 0 }: StoredServiceSecret): Buffer {
  const texts = [keyId, JSON.stringify(hash)].map(packedText);
  return Buffer.concat([...texts, ...[createdAt, endsAt, lastUsedAt].map(double)]);
}

const services = serviceArbitrary({
  maxVersion: 2 ** 32 - 1,
  times: fc.integer({ min: 1, max: NOW }),
  ends: fc.constant(NOW + 1),
});

const SECRET: StoredServiceSecret = {
  keyId: 'k1',
  hash: { algorithm: 'hmac-sha256', digest: 'abc' },
  createdAt: NOW - 2,
  endsAt: NOW + 1,
  lastUsedAt: NOW - 1,
};
const SERVICE: ServiceCredentialRecord = {
  serviceId: 'orders',
  serviceName: 'Orders',
  permissions: ['sessions:read'],
  version: 2,
  createdAt: NOW - 3,
  secrets: [SECRET],
};
const GOLDEN_SERVICE =
  '010200000000d07f56febc784206006f726465727306004f726465727311005b2273657373696f6e733a72656164225d0102' +
  '006b312a007b22616c676f726974686d223a22686d61632d736861323536222c22646967657374223a22616263227d00e07f' +
  '56febc784200108056febc784200f07f56febc7842';

function readingOf(value: Buffer): ServiceCredentialRecord | 'unreadable' {
  try {
    return unpackRedisService(value, NOW);
  } catch (error) {
    if (error instanceof UnreadableValueError) return 'unreadable';
    throw error;
  }
}

describe('the stored form of a service', () => {
  it('is byte for byte the format of the first release', () => {
    expect(packedService(SERVICE).toString('hex')).toBe(GOLDEN_SERVICE);
    expect(unpackRedisService(Buffer.from(GOLDEN_SERVICE, 'hex'), NOW)).toEqual(SERVICE);
  });

  it('preserves every service', () => {
    fc.assert(
      fc.property(services, (service) => {
        expect(unpackRedisService(packedService(service), NOW)).toEqual(service);
      }),
    );
  });

  it('omits a secret from the millisecond of its end on', () => {
    const value = packedService({ ...SERVICE, secrets: [SECRET, { ...SECRET, keyId: 'k2', endsAt: NOW + 2 }] });
    const keyIdsAt = (now: number) => unpackRedisService(value, now).secrets.map(({ keyId }) => keyId);
    expect([0, 1, 2].map((later) => keyIdsAt(NOW + later))).toEqual([['k1', 'k2'], ['k2'], []]);
  });

  it('is unreadable if it is truncated anywhere or followed by other bytes', () => {
    const value = packedService(SERVICE);
    for (let cut = 0; cut < value.length; cut++) {
      expect([cut, readingOf(value.subarray(0, cut))]).toEqual([cut, 'unreadable']);
    }
    expect(readingOf(Buffer.concat([value, Buffer.from([0])]))).toBe('unreadable');
  });

  it('is either unreadable or a service with known hashes after any of its bytes has changed', () => {
    const value = packedService(SERVICE);
    for (let at = 0; at < value.length; at++) {
      for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
        const flipped = Buffer.from(value);
        flipped[at]! ^= mask;
        const reading = readingOf(flipped);
        const read = reading === 'unreadable' ? [] : reading.secrets;
        for (const { hash, createdAt } of read) {
          const intact = { algorithm: 'hmac-sha256', digest: expect.any(String) };
          expect([intact, { algorithm: 'unknown' }]).toContainEqual(hash);
          expect(Number.isSafeInteger(createdAt)).toBe(true);
        }
      }
    }
  });

  it.each([
    ['its end is not a number', { endsAt: NaN }],
    ['its end is negative', { endsAt: -1 }],
    ['its end is infinite', { endsAt: Infinity }],
    ['its hash is of no kind', { hash: { digest: 'abc' } }],
    ['its hash is null', { hash: null }],
  ])('is unreadable if a secret would never end or would match anything: %s', (_name, damage) => {
    const secret = { ...SECRET, ...damage } as StoredServiceSecret;
    expect(readingOf(packedService({ ...SERVICE, secrets: [secret] }))).toBe('unreadable');
  });

  it('has a secret that matches nothing if a later release has stored its hash', () => {
    const later = { ...SECRET, hash: { algorithm: 'hmac-sha3', digest: 'CANARY' } } as unknown as StoredServiceSecret;
    const { secrets } = unpackRedisService(packedService({ ...SERVICE, secrets: [SECRET, later] }), NOW);
    expect(secrets).toEqual([SECRET, { ...SECRET, hash: { algorithm: 'unknown' } }]);
  });

  it.each<[unknown]>([['a text'], [{ 'sessions:read': true }], [[1]], [null]])(
    'is unreadable with the permissions %j',
    (permissions) => {
      expect(readingOf(packedService({ ...SERVICE, permissions: permissions as string[] }))).toBe('unreadable');
    },
  );

  it('reports whether a later release wrote it', () => {
    const value = packedService(SERVICE);
    value.writeUInt8(2, 0);
    expect(() => unpackRedisService(value, NOW)).toThrow(expect.objectContaining({ newerFormat: true }));
    value.writeUInt8(0, 0);
    expect(() => unpackRedisService(value, NOW)).toThrow(expect.objectContaining({ newerFormat: false }));
  });
});
