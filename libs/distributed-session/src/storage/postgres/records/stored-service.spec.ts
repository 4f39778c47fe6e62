import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { SecretHash, ServiceCredentialRecord, StoredServiceSecret } from '../../service-credential-storage.js';
import { escapeText } from './escaped-text.js';
import { type Cell, RowReader, UnreadableRowError } from './row-reader.js';
import { serviceColumns, unpackService } from './stored-service.js';

const COLUMNS = ['service_id', 'service_name', 'permissions', 'version', 'created_at', 'secrets'];

const text = fc.string({ unit: 'binary', maxLength: 40 });
const time = fc.integer({ min: 0, max: 2 ** 52 });
const hashes: fc.Arbitrary<SecretHash> = fc.oneof(
  fc.record({ algorithm: fc.constant('hmac-sha256'), digest: text }),
  fc.record({ algorithm: fc.constant('argon2id'), encoded: text }),
);
const secrets: fc.Arbitrary<StoredServiceSecret> = fc.record(
  { keyId: text, hash: hashes, createdAt: time, endsAt: time, lastUsedAt: time },
  { requiredKeys: ['keyId', 'hash', 'createdAt'] },
);
const services: fc.Arbitrary<ServiceCredentialRecord> = fc.record({
  serviceId: text,
  serviceName: text,
  permissions: fc.array(text, { maxLength: 4 }),
  version: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  createdAt: time,
  secrets: fc.array(secrets, { maxLength: 2 }),
});

/** The secrets as the view of the current services puts them together: what is not there is NULL. */
function documentOf(stored: readonly StoredServiceSecret[]): unknown[] {
  return stored.map(({ keyId, hash, createdAt, endsAt = null, lastUsedAt = null }) => ({
    keyId: escapeText(keyId),
    hash: JSON.stringify(hash),
    createdAt,
    endsAt,
    lastUsedAt,
  }));
}

/** The columns of a service by their names, as PostgreSQL sends them. */
function cellsOf(service: ServiceCredentialRecord): Record<string, Cell> {
  return {
    service_id: escapeText(service.serviceId),
    service_name: escapeText(service.serviceName),
    permissions: JSON.stringify(service.permissions),
    version: String(service.version),
    created_at: String(service.createdAt),
    secrets: service.secrets.length === 0 ? null : JSON.stringify(documentOf(service.secrets)),
  };
}

const unpack = (cells: Record<string, Cell>) => unpackService(new RowReader(COLUMNS.map((column) => cells[column]!)));

const SECRET = documentOf([{ keyId: 'k1', hash: { algorithm: 'hmac-sha256', digest: 'abc' }, createdAt: 1 }])[0]!;
const CELLS: Record<string, Cell> = {
  service_id: 'orders',
  service_name: 'Orders',
  permissions: '["sessions:read"]',
  version: '2',
  created_at: '1',
  secrets: JSON.stringify([SECRET]),
};

describe('the columns of a service', () => {
  it('are those of the row that is said, in the order in which they are read', () => {
    expect(serviceColumns('s')).toBe(COLUMNS.map((column) => `s.${column}`).join(', '));
  });

  it('give a service back as it was, whatever its texts are', () => {
    fc.assert(
      fc.property(services, (service) => {
        expect(unpack(cellsOf(service))).toEqual(service);
      }),
    );
  });

  it.each<[string, Cell]>([
    ['service_id', null],
    ['service_name', null],
    ['permissions', null],
    ['permissions', '{'],
    ['permissions', '{}'],
    ['permissions', '"sessions:read"'],
    ['permissions', '[1]'],
    ['permissions', '[null]'],
    ['version', '-1'],
    ['created_at', '-1'],
    ['created_at', null],
    ['secrets', '{'],
    ['secrets', '{}'],
    ['secrets', '[null]'],
    ['secrets', '["k1"]'],
  ])('are unreadable where %s is %p', (column, cell) => {
    expect(() => unpack({ ...CELLS, [column]: cell })).toThrow(UnreadableRowError);
  });

  it.each<[string, object]>([
    ['it has no key id', { keyId: undefined }],
    ['it has no hash', { hash: undefined }],
    ['its hash is no document', { hash: 'x' }],
    ['its hash is nothing', { hash: 'null' }],
    ['its hash is of an unknown kind', { hash: '{"algorithm":"none","digest":"abc"}' }],
    ['its hash lacks the digest', { hash: '{"algorithm":"hmac-sha256"}' }],
    ['its hash lacks the encoding', { hash: '{"algorithm":"argon2id","digest":"abc"}' }],
    ['its beginning is no number', { createdAt: '1' }],
    ['its end is no number', { endsAt: 'never' }],
    ['its end is left out', { endsAt: undefined }],
    ['its end is a fraction', { endsAt: 1.5 }],
    ['its last use is left out', { lastUsedAt: undefined }],
  ])('are unreadable, and never a secret without an end or that anything matches, where %s', (_name, damage) => {
    const damaged = JSON.stringify([SECRET, { ...SECRET, ...damage }]);
    expect(() => unpack({ ...CELLS, secrets: damaged })).toThrow(UnreadableRowError);
  });
});
