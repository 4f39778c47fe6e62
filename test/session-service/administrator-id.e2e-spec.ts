import { describe, expect, test } from '@jest/globals';
import { send } from '../support/http-request.js';
import { readable } from '../support/readable-services.js';
import { ADMINISTRATOR_PERMISSIONS, generatedBy, statusOf, useAdministrator } from '../support/use-administrator.js';

const SECRET = 'the-first-secret-of-the-administrator';
const OTHER = 'another-secret-of-the-administrator';

describe('The administrator', () => {
  const { changes, start, restart } = useAdministrator();

  test('has the configured id', async () => {
    const service = await start(SECRET, { ADMIN_SERVICE_ID: 'root' });
    expect([await statusOf(service, SECRET, 'root'), await statusOf(service, SECRET)]).toEqual([200, 401]);
  });

  test('loses every permission and secret when its id changes, and other services with every permission do not', async () => {
    const first = await start(SECRET);
    const rotated = await first.sessions.rotateServiceSecret('admin');
    const operator = await first.register('operator', '*');
    const service = await restart(OTHER, { ADMIN_SERVICE_ID: 'root' });
    const statuses = [await statusOf(service, SECRET), await statusOf(service, rotated.secret)];
    expect([...statuses, await statusOf(service, OTHER, 'root')]).toEqual([401, 401, 200]);
    expect((await send(`${service.url}/v1/counts`, operator)).status).toBe(200);
    const permissions = readable(await service.sessions.listServices()).map((each) => [
      each.serviceId,
      each.permissions,
    ]);
    expect(permissions).toEqual([
      ['admin', ['session-service.former-administrator']],
      ['operator', ['*']],
      ['root', ADMINISTRATOR_PERMISSIONS],
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
});
