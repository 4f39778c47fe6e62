import type { SessionStorage } from 'nestjs-distributed-session';
import type { NewServiceSecret, PutService, ServiceCredentialStorage } from 'nestjs-distributed-session/storage';

const SECOND: NewServiceSecret = { keyId: 'second', hash: { algorithm: 'hmac-sha256', digest: 'second' } };

/** The service of the calls: version 1, one secret. */
export const SERVICE: PutService = {
  serviceId: 'orders',
  serviceName: 'Orders',
  permissions: ['session:read'],
  secret: { keyId: 'first', hash: { algorithm: 'hmac-sha256', digest: 'first' } },
  replace: false,
  by: 'tests',
};

const { serviceId, by } = SERVICE;

/** One call of each operation that writes services, except `recordUse`, which may be repeated. */
export const SERVICE_WRITES = {
  put: (storage) => storage.services.put({ ...SERVICE, secret: SECOND, replace: true }),
  addSecret: (storage) =>
    storage.services.addSecret({ serviceId, expectedVersion: 1, secret: SECOND, overlapMs: 0, by }),
  renewHash: (storage) =>
    storage.services.renewHash({
      serviceId,
      keyId: SERVICE.secret.keyId,
      expected: SERVICE.secret.hash,
      hash: SECOND.hash,
    }),
  endSecret: (storage) => storage.services.endSecret({ serviceId, keyId: SERVICE.secret.keyId, by }),
  remove: (storage) => storage.services.remove({ serviceId, by }),
} satisfies Partial<Record<keyof ServiceCredentialStorage, (storage: SessionStorage) => Promise<unknown>>>;

/** One call of each operation that reads services. */
export const SERVICE_READS = {
  find: (storage) => storage.services.find(serviceId),
  findByKeyId: (storage) => storage.services.findByKeyId(SERVICE.secret.keyId),
  list: (storage) => storage.services.list(),
} satisfies Partial<Record<keyof ServiceCredentialStorage, (storage: SessionStorage) => Promise<unknown>>>;

/** Runs each write once, so that the server has cached every script, and removes the service. */
export async function warmUpServices({ services }: SessionStorage): Promise<void> {
  await services.put({ ...SERVICE, replace: true });
  await services.addSecret({ serviceId, expectedVersion: 0, secret: SECOND, overlapMs: 0, by });
  await services.recordUse({ serviceId, keyId: SERVICE.secret.keyId });
  await services.renewHash({ serviceId, keyId: '', expected: SECOND.hash, hash: SECOND.hash });
  await services.endSecret({ serviceId, keyId: SERVICE.secret.keyId, by });
  await services.remove({ serviceId, by });
}
