import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StorageUnavailableError } from 'nestjs-distributed-session';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { Administrator } from '../../src/administrator/administrator.js';
import { basic } from '../support/credential-headers.js';
import { send } from '../support/http-request.js';
import { type RunningService, startService, stopServices } from '../support/running-service.js';
import { WatchedStorage } from '../support/watched-storage.js';

const SECRET = 'the-first-secret-of-the-administrator';
const ALL = ['*', 'session-service.administrator'];
const OTHER = 'another-secret-of-the-administrator';

describe('The administrator', () => {
  let storage: WatchedStorage;
  /** The changes that the storage published. */
  let changes: StorageChange[];

  beforeEach(() => {
    storage = new WatchedStorage();
    changes = [];
    storage.changes((change) => changes.push(change));
  });

  afterEach(stopServices);

  const start = (ADMIN_SECRET: string, variables: Record<string, string> = {}) =>
    startService({ storage, variables: { ADMIN_SECRET, ...variables } });

  const restart = async (...given: Parameters<typeof start>) => {
    await stopServices();
    changes.length = 0;
    return start(...given);
  };

  test('is registered with the configured secret and every permission', async () => {
    const service = await start(SECRET);
    expect(await statusOf(service, SECRET)).toBe(200);
    expect(generatedBy(service)).toBeUndefined();
    const [administrator, ...others] = await service.sessions.listServices();
    expect(administrator).toMatchObject({ serviceId: 'admin', serviceName: 'Administrator', permissions: ALL });
    expect([administrator?.secrets.length, others]).toEqual([1, []]);
    const registration = { serviceId: 'order', serviceName: 'Orders', permissions: ['sessions.readAll'] };
    const headers = { ...basic('admin', SECRET), 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(registration) };
    expect((await fetch(`${service.url}/v1/services`, request)).status).toBe(201);
  });

  test('has the configured id', async () => {
    const service = await start(SECRET, { ADMIN_SERVICE_ID: 'root' });
    expect([await statusOf(service, SECRET, 'root'), await statusOf(service, SECRET)]).toEqual([200, 401]);
  });

  test('is not registered again when the service restarts on the same storage', async () => {
    const before = await (await start(SECRET)).sessions.listServices();
    const service = await restart(SECRET);
    expect(changes).toEqual([]);
    expect(keysOf(await service.sessions.listServices())).toEqual(keysOf(before));
    expect(await statusOf(service, SECRET)).toBe(200);
  });

  test('keeps both secrets of a rotation when the service restarts with either of them', async () => {
    const { secret } = await (await start(SECRET)).sessions.rotateServiceSecret('admin', { secretKey: OTHER });
    expect(secret).toBe(OTHER);
    for (const configured of [SECRET, OTHER]) {
      const service = await restart(configured);
      expect(changes).toEqual([]);
      expect([await statusOf(service, SECRET), await statusOf(service, OTHER)]).toEqual([200, 200]);
    }
  });

  test('has only the new secret after the configured secret has changed', async () => {
    await start(SECRET);
    const service = await restart(OTHER);
    expect(changes).toMatchObject([{ type: 'service.changed', serviceId: 'admin', change: 'replaced' }]);
    expect([await statusOf(service, SECRET), await statusOf(service, OTHER)]).toEqual([401, 200]);
  });

  test('loses the old secret in a running process when another one starts with a new secret', async () => {
    const running = await start(SECRET);
    expect(await statusOf(running, SECRET)).toBe(200);
    await start(OTHER);
    expect([await statusOf(running, SECRET), await statusOf(running, OTHER)]).toEqual([401, 200]);
  });

  test('regains every permission at a restart after it was registered with fewer, or revoked', async () => {
    const first = await start(SECRET);
    const less = { serviceId: 'admin', serviceName: 'Less', permissions: ['session.read'], secretKey: SECRET };
    await first.sessions.registerService(less, { replace: true });
    expect(await statusOf(first, SECRET)).toBe(403);
    const second = await restart(SECRET);
    expect(await statusOf(second, SECRET)).toBe(200);
    await second.sessions.revokeService('admin');
    expect(await statusOf(await restart(SECRET), SECRET)).toBe(200);
  });

  test('gets a new generated secret at each start if none is configured', async () => {
    const first = generatedBy(await start(''))!;
    const service = await restart('');
    const second = generatedBy(service)!;
    expect([first, second]).toEqual([
      expect.stringMatching(/^dss_[\w-]{50,}$/),
      expect.stringMatching(/^dss_[\w-]{50,}$/),
    ]);
    expect(second).not.toBe(first);
    expect([await statusOf(service, first), await statusOf(service, second)]).toEqual([401, 200]);
  });

  test('has the configured secret after a start that generated one', async () => {
    const generated = generatedBy(await start(''))!;
    const service = await restart(SECRET);
    expect([await statusOf(service, generated), await statusOf(service, SECRET)]).toEqual([401, 200]);
  });

  test('is registered once by several processes that start concurrently on one storage', async () => {
    const services = await Promise.all(Array.from({ length: 5 }, () => start(SECRET)));
    expect(await Promise.all(services.map((service) => statusOf(service, SECRET)))).toEqual([200, 200, 200, 200, 200]);
    const [administrator, ...others] = await services[0]!.sessions.listServices();
    expect([administrator?.secrets.length, others]).toEqual([1, []]);
  });

  test('has one valid secret when several processes generate one concurrently', async () => {
    const services = await Promise.all(Array.from({ length: 3 }, () => start('')));
    const statuses = await Promise.all(services.map((service) => statusOf(services[0]!, generatedBy(service)!)));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
  });

  test('loses every permission and secret when its id changes, and other services with every permission do not', async () => {
    const first = await start(SECRET);
    const rotated = await first.sessions.rotateServiceSecret('admin');
    const operator = await first.register('operator', '*');
    const service = await restart(OTHER, { ADMIN_SERVICE_ID: 'root' });
    const statuses = [await statusOf(service, SECRET), await statusOf(service, rotated.secret)];
    expect([...statuses, await statusOf(service, OTHER, 'root')]).toEqual([401, 401, 200]);
    expect((await send(`${service.url}/v1/counts`, operator)).status).toBe(200);
    const permissions = (await service.sessions.listServices()).map((each) => [each.serviceId, each.permissions]);
    expect(permissions).toEqual([
      ['admin', ['session-service.former-administrator']],
      ['operator', ['*']],
      ['root', ALL],
    ]);
    changes.length = 0;
    await restart(OTHER, { ADMIN_SERVICE_ID: 'root' });
    expect(changes).toEqual([]);
  });

  test('loses them in running processes, and a restart with the old id does not restore them', async () => {
    const running = await start(SECRET);
    const renamed = await start(SECRET.toUpperCase(), { ADMIN_SERVICE_ID: 'root' });
    expect(await statusOf(running, SECRET)).toBe(401);
    changes.length = 0;
    const old = [await start(SECRET), await start('')];
    expect([changes, ...old.map(generatedBy)]).toEqual([[], undefined, undefined]);
    const [one, two] = [await statusOf(old[0]!, SECRET), await statusOf(renamed, SECRET.toUpperCase(), 'root')];
    expect([one, two]).toEqual([401, 200]);
  });

  test('can have an earlier id again after that service was revoked', async () => {
    await start(SECRET);
    const renamed = await restart(OTHER, { ADMIN_SERVICE_ID: 'root' });
    await renamed.sessions.revokeService('admin');
    const service = await restart(SECRET);
    expect([await statusOf(service, SECRET), await statusOf(service, OTHER, 'root')]).toEqual([200, 401]);
  });

  test('is not lost if processes with different ids start concurrently', async () => {
    await Promise.all([start(SECRET), start(OTHER, { ADMIN_SERVICE_ID: 'root' })]);
    const service = await start(OTHER, { ADMIN_SERVICE_ID: 'root' });
    expect(await statusOf(service, OTHER, 'root')).toBe(200);
  });

  test('is registered at the next start after one that failed because the storage was down', async () => {
    storage.failure = new StorageUnavailableError();
    await expect(start(SECRET)).rejects.toThrow(StorageUnavailableError);
    await expect(start('')).rejects.toThrow(StorageUnavailableError);
    storage.failure = undefined;
    expect(await statusOf(await start(SECRET), SECRET)).toBe(200);
  });
});

async function statusOf({ url }: RunningService, secret: string, serviceId = 'admin'): Promise<number> {
  return (await send(`${url}/v1/counts`, basic(serviceId, secret))).status;
}

function generatedBy({ app }: RunningService): string | undefined {
  return app.get(Administrator, { strict: false }).takeGeneratedSecret();
}

function keysOf(services: readonly { readonly secrets: readonly { readonly keyId: string }[] }[]): readonly string[] {
  return services.flatMap(({ secrets }) => secrets.map(({ keyId }) => keyId));
}
