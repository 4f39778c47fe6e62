import { describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { StorageUnavailableError } from 'nestjs-distributed-session';
import { basic } from '../support/credential-headers.js';
import { readable } from '../support/readable-services.js';
import { ADMINISTRATOR_PERMISSIONS, generatedBy, statusOf, useAdministrator } from '../support/use-administrator.js';

const SECRET = 'the-first-secret-of-the-administrator';
const OTHER = 'another-secret-of-the-administrator';

describe('The administrator', () => {
  const context = useAdministrator();
  const { changes, start, restart } = context;

  test('is registered with the configured secret and every permission', async () => {
    const service = await start(SECRET);
    expect(await statusOf(service, SECRET)).toBe(200);
    expect(generatedBy(service)).toBeUndefined();
    const [administrator, ...others] = readable(await service.sessions.listServices());
    expect(administrator).toMatchObject({
      serviceId: 'admin',
      serviceName: 'Administrator',
      permissions: ADMINISTRATOR_PERMISSIONS,
    });
    expect([administrator?.secrets.length, others]).toEqual([1, []]);
    const registration = { serviceId: 'order', serviceName: 'Orders', permissions: ['sessions.readAll'] };
    const headers = { ...basic('admin', SECRET), 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(registration) };
    expect((await fetch(`${service.url}/v1/services`, request)).status).toBe(201);
  });

  test('is not registered again when the service restarts on the same storage', async () => {
    const before = readable(await (await start(SECRET)).sessions.listServices());
    const service = await restart(SECRET);
    expect(changes).toEqual([]);
    expect(keysOf(readable(await service.sessions.listServices()))).toEqual(keysOf(before));
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

  test('keeps its secret when a process starts that knows no current one, which logs what to do', async () => {
    const running = await start(SECRET);
    changes.length = 0;
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const other = await start(OTHER);
    expect([await statusOf(running, SECRET), await statusOf(other, SECRET), await statusOf(other, OTHER)]).toEqual([
      200, 200, 401,
    ]);
    expect(changes).toEqual([]);
    const wayOut = /another secret than ADMIN_SECRET.* set ADMIN_SECRET to the new secret and the current one/;
    expect(errors.mock.calls.map(([message]) => message)).toEqual([expect.stringMatching(wayOut)]);
    expect(String(errors.mock.calls)).not.toContain(OTHER);
  });

  describe('during a rolling restart to a new secret', () => {
    const BOTH = `${OTHER} ${SECRET}`;
    const [FIRST_STEP, SECOND_STEP] = [
      [SECRET, BOTH],
      [BOTH, OTHER],
    ];

    test.each([
      ['the new configuration last', [SECRET, SECRET, BOTH]],
      ['an outdated process restarting in between', [SECRET, BOTH, SECRET, BOTH, SECRET]],
      ['all at once', [SECRET, BOTH, BOTH, BOTH]],
    ])('accepts both secrets, with %s', async (_order, configured) => {
      await start(SECRET);
      const services = [];
      for (const secrets of configured) services.push(await start(secrets));
      for (const service of services) {
        expect([await statusOf(service, SECRET), await statusOf(service, OTHER)]).toEqual([200, 200]);
      }
      const [administrator] = readable(await services[0]!.sessions.listServices());
      expect(administrator?.secrets).toHaveLength(2);
    });

    test.each([
      ['the new configuration last', [BOTH, BOTH, OTHER]],
      ['an outdated process restarting in between', [OTHER, BOTH, OTHER, BOTH]],
      ['a process of two restarts ago', [OTHER, SECRET, BOTH]],
    ])('accepts only the new one after the second step, with %s', async (_order, configured) => {
      jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
      for (const secrets of FIRST_STEP) await start(secrets);
      const services = [];
      for (const secrets of configured) services.push(await start(secrets));
      for (const service of services) {
        expect([await statusOf(service, SECRET), await statusOf(service, OTHER)]).toEqual([401, 200]);
      }
    });

    test('accepts the new one at all times, also if all processes of a step start concurrently', async () => {
      await start(SECRET);
      const first = await Promise.all([...FIRST_STEP, ...FIRST_STEP].map((secrets) => start(secrets)));
      for (const service of first) expect(await statusOf(service, OTHER)).toBe(200);
      const second = await Promise.all([...SECOND_STEP, ...SECOND_STEP].map((secrets) => start(secrets)));
      for (const service of second) expect(await statusOf(service, OTHER)).toBe(200);
    });

    test('returns to the earlier one when an operator changes it back', async () => {
      for (const secrets of [SECRET, BOTH, OTHER, `${SECRET} ${OTHER}`]) await start(secrets);
      const back = await start(SECRET);
      expect([await statusOf(back, SECRET), await statusOf(back, OTHER)]).toEqual([200, 401]);
    });

    test('does not end a secret that an operator has added meanwhile, and logs that a third one is not possible', async () => {
      const first = await start(SECRET);
      const rotated = await first.sessions.rotateServiceSecret('admin');
      const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
      const second = await start(BOTH);
      const statuses = [await statusOf(second, SECRET), await statusOf(second, rotated.secret)];
      expect([...statuses, await statusOf(second, OTHER)]).toEqual([200, 200, 401]);
      expect(String(errors.mock.calls)).toMatch(/already has two valid secrets/);
    });
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
    const [administrator, ...others] = readable(await services[0]!.sessions.listServices());
    expect([administrator?.secrets.length, others]).toEqual([1, []]);
  });

  test('has one valid secret when several processes generate one concurrently', async () => {
    const services = await Promise.all(Array.from({ length: 3 }, () => start('')));
    const statuses = await Promise.all(services.map((service) => statusOf(services[0]!, generatedBy(service)!)));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
  });

  test('is registered at the next start after one that failed because the storage was down', async () => {
    context.storage.failure = new StorageUnavailableError();
    await expect(start(SECRET)).rejects.toThrow(StorageUnavailableError);
    await expect(start('')).rejects.toThrow(StorageUnavailableError);
    context.storage.failure = undefined;
    expect(await statusOf(await start(SECRET), SECRET)).toBe(200);
  });
});

function keysOf(services: readonly { readonly secrets: readonly { readonly keyId: string }[] }[]): readonly string[] {
  return services.flatMap(({ secrets }) => secrets.map(({ keyId }) => keyId));
}
