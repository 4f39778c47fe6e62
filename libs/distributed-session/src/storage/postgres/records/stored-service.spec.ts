import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { serviceArbitrary } from '../../../../../../test/support/storage/record-arbitraries.js';
import type { ServiceCredentialRecord, StoredServiceSecret } from '../../service-credential-storage.js';
import { escapeText } from './escaped-text.js';
import { type Cell, RowReader, UnreadableRowError } from './row-reader.js';
import { serviceColumns, readServiceRow } from './stored-service.js';

const COLUMNS = ['service_id', 'service_name', 'permissions', 'version', 'created_at', 'secrets'];
const times = fc.integer({ min: 0, max: 2 ** 52 });
const services = serviceArbitrary({ maxVersion: 2 ** 31 - 1, times, ends: times });

/** The secrets in the form of the view `current_service`: absent values are null. */
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

const read = (cells: Record<string, Cell>) => readServiceRow(new RowReader(COLUMNS.map((column) => cells[column]!)));

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
  it('are selected from the given row, in reading order', () => {
    expect(serviceColumns('s')).toBe(COLUMNS.map((column) => `s.${column}`).join(', '));
  });

  it('return the service that was written, with any characters in its texts', () => {
    fc.assert(
      fc.property(services, (service) => {
        expect(read(cellsOf(service))).toEqual(service);
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
  ])('are unreadable when %s is %p', (column, cell) => {
    expect(() => read({ ...CELLS, [column]: cell })).toThrow(UnreadableRowError);
  });

  it.each<[string, object]>([
    ['it has no key id', { keyId: undefined }],
    ['it has no hash', { hash: undefined }],
    ['its hash is not a document', { hash: 'x' }],
    ['its hash is null', { hash: 'null' }],
    ['its hash has no algorithm', { hash: '{"digest":"abc"}' }],
    ['its hash lacks the digest', { hash: '{"algorithm":"hmac-sha256"}' }],
    ['its hash lacks the encoding', { hash: '{"algorithm":"argon2id","digest":"abc"}' }],
    ['its creation time is not a number', { createdAt: '1' }],
    ['its end is not a number', { endsAt: 'never' }],
    ['its end is missing', { endsAt: undefined }],
    ['its end is a fraction', { endsAt: 1.5 }],
    ['its last use is missing', { lastUsedAt: undefined }],
  ])('are unreadable, rather than a secret that never ends or always matches, when %s', (_name, damage) => {
    const damaged = JSON.stringify([SECRET, { ...SECRET, ...damage }]);
    expect(() => read({ ...CELLS, secrets: damaged })).toThrow(UnreadableRowError);
  });
});
