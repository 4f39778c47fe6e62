import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { basic } from '../support/credential-headers.js';
import { send } from '../support/http-request.js';
import { type RunningService, startService, stopServices } from '../support/running-service.js';
import { WatchedStorage } from '../support/watched-storage.js';

const ADMIN_SECRET = 'the-secret-of-the-administrator';
const [OLD, NEW] = ['the-old-key-of-the-session-service', 'the-new-key-of-the-session-service'];

afterEach(async () => {
  await stopServices();
  jest.restoreAllMocks();
});

async function statusOf({ url }: RunningService, serviceId: string, secret: string): Promise<number> {
  return (await send(`${url}/v1/counts`, basic(serviceId, secret))).status;
}

describe('A rolling restart of session services with another key', () => {
  test.each([
    ['SECRET_PEPPER', 'in one step', [OLD, `${NEW} ${OLD}`, NEW]],
    ['SECRET_PEPPER', 'in two steps', [OLD, `${OLD} ${NEW}`, `${NEW} ${OLD}`, NEW]],
    ['SECRET_PEPPER', 'from none', ['', `${NEW}\nnone`, NEW]],
    ['TOKEN_KEY', 'in one step', [OLD, `${NEW} ${OLD}`]],
  ])('(%s, %s) rejects no service, no administrator and no session', async (name, _how, values) => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const storage = new WatchedStorage();
    const start = async (value: string) => startService({ storage, variables: { ADMIN_SECRET, [name]: value } });
    const processes = [await start(values[0]!), await start(values[0]!)];
    const registration = { serviceId: 'order', serviceName: 'Orders', permissions: ['session.list'] };
    const { secret } = await processes[0]!.sessions.registerService(registration);
    let { credential } = await processes[0]!.sessions.createSession('alice');
    for (const value of values.slice(1)) {
      // The earlier key is needed until the sessions from before it have ended.
      if (value === NEW) ({ credential } = await processes[0]!.sessions.createSession('alice'));
      for (const index of processes.keys()) {
        processes[index] = await start(value);
        for (const service of processes) {
          expect([await statusOf(service, 'admin', ADMIN_SECRET), await statusOf(service, 'order', secret)]).toEqual([
            200, 200,
          ]);
          expect(await service.sessions.verifySession(credential)).toMatchObject({ loginId: 'alice' });
        }
      }
    }
    expect(errors).not.toHaveBeenCalled();
  });

  test('keeps the administrator, and logs what to do, if its pepper was replaced in one step', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const storage = new WatchedStorage();
    const before = await startService({ storage, variables: { ADMIN_SECRET, SECRET_PEPPER: OLD } });
    const after = await startService({ storage, variables: { ADMIN_SECRET, SECRET_PEPPER: NEW } });
    expect([await statusOf(before, 'admin', ADMIN_SECRET), await statusOf(after, 'admin', ADMIN_SECRET)]).toEqual([
      200, 401,
    ]);
    expect(String(errors.mock.calls)).toMatch(/The service 'admin' has secrets .* Add that pepper to secretPepper/);
    expect(String(errors.mock.calls)).not.toContain(NEW);
  });
});
