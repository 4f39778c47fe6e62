/** Loads the given entry points of the library and uses the manager. Prints `alice`. */
export const loadEntries = (entries: readonly string[]) => `
for (const entry of ${JSON.stringify(entries)}) await import('nestjs-distributed-session' + entry);
const { DistributedSessionManager, InMemorySessionStorage } = await import('nestjs-distributed-session');
const sessions = new DistributedSessionManager({ serviceId: 'sample', storage: new InMemorySessionStorage() });
await sessions.connect();
const { credential } = await sessions.createSession('alice');
console.log((await sessions.verifySession(credential)).loginId);
await sessions.close();
`;

/** Runs both suites for storages with node:test. */
export const STORAGE_SUITES = `
import 'reflect-metadata';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock, describeManagerOn, describeSessionStorage } from 'nestjs-distributed-session/testing';

const create = () => {
  const clock = new FakeClock();
  return { storage: new InMemorySessionStorage({ clock }), clock };
};
const runner = { describe, it, beforeEach, afterEach, afterAll: after };
describeSessionStorage('a storage', create, { drivenClock: true }, runner);
describeManagerOn('a storage', create, { drivenClock: true }, runner);
`;

/**
 * Uses secrets where argon2 is not installed: a generated one, a chosen one, and a service that registered a chosen one
 * elsewhere. Prints a line for each outcome.
 *
 * @param hash - What the store holds of the chosen secret.
 */
export const useSecrets = (hash: object) => `
import { DistributedSessionManager, InMemorySessionStorage, PackageUnavailableError } from 'nestjs-distributed-session';

const storage = new InMemorySessionStorage();
const sessions = new DistributedSessionManager({ serviceId: 'sample', storage });
await sessions.connect();
const hash = ${JSON.stringify(hash)};
await storage.services.put({
  serviceId: 'elsewhere', serviceName: 'E', permissions: [], secret: { keyId: 'AAAAAAAAAA', hash }, replace: false, by: 'other',
});

const registered = await sessions.registerService({ serviceId: 'order', serviceName: 'Order', permissions: [] });
console.log('generated:', (await sessions.verifyService('order', registered.secret)).serviceId);
const secretKey = 'correct horse battery staple';
await print('chosen:', sessions.registerService({ serviceId: 'pay', serviceName: 'Pay', permissions: [], secretKey }));
await print('registered elsewhere:', sessions.verifyService('elsewhere', secretKey));
await print('unknown:', sessions.verifyService('unknown', secretKey));
await print('wrong:', sessions.verifyService('order', secretKey));
await sessions.close();

async function print(title, call) {
  const error = await call.then(() => undefined, (thrown) => thrown);
  console.log([title, error?.code, ...(error instanceof PackageUnavailableError ? [error.message] : [])].join(' '));
}
`;
