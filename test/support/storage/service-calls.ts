import type { SessionStorage } from 'nestjs-distributed-session';
import type { ServiceCredentialStorage } from 'nestjs-distributed-session/storage';
import type { NewServiceSecret, PutService } from 'nestjs-distributed-session/storage';

const SECOND: NewServiceSecret = { keyId: 'second', hash: { algorithm: 'hmac-sha256', digest: 'second' } };

/** The service that the calls are about: at version 1, with one secret. */
export const SERVICE: PutService = {
  serviceId: 'orders',
  serviceName: 'Orders',
  permissions: ['session:read'],
  secret: { keyId: 'first', hash: { algorithm: 'hmac-sha256', digest: 'first' } },
  replace: false,
  by: 'tests',
};

const { serviceId, by } = SERVICE;

/** One call of each operation that writes services, but for the note of a use, which may be repeated. */
export const SERVICE_WRITES = {
  put: (storage) => storage.services.put({ ...SERVICE, secret: SECOND, replace: true }),
  addSecret: (storage) =>
    storage.services.addSecret({ serviceId, expectedVersion: 1, secret: SECOND, overlapMs: 0, by }),
  endSecret: (storage) => storage.services.endSecret({ serviceId, keyId: SERVICE.secret.keyId, by }),
  remove: (storage) => storage.services.remove({ serviceId, by }),
} satisfies Partial<Record<keyof ServiceCredentialStorage, (storage: SessionStorage) => Promise<unknown>>>;

/** One call of each operation that reads services. */
export const SERVICE_READS = {
  find: (storage) => storage.services.find(serviceId),
  findByKeyId: (storage) => storage.services.findByKeyId(SERVICE.secret.keyId),
  list: (storage) => storage.services.list(),
} satisfies Partial<Record<keyof ServiceCredentialStorage, (storage: SessionStorage) => Promise<unknown>>>;
