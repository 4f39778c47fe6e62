import { afterEach, describe, expect, test } from '@jest/globals';
import { basic } from '../support/credential-headers.js';
import { send } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

/** So many failures of one source, and it is refused for a while. */
const ATTEMPTS = 10;

describe.each(SERVERS)('TRUST_PROXY on %s', (HTTP_ADAPTER) => {
  let service: RunningService;
  let right: Record<string, string>;
  let wrong: Record<string, string>;

  afterEach(stopServices);

  const start = async (TRUST_PROXY: string) => {
    service = await startService({ variables: { HTTP_ADAPTER, TRUST_PROXY } });
    right = await service.register('gateway', 'session.list');
    const registration = { serviceId: 'other', serviceName: 'Other', permissions: [] };
    // A generated one: to refuse it takes no time.
    wrong = basic('gateway', (await service.sessions.registerService(registration)).secret);
  };

  const statusOf = async (headers: Record<string, string>, forwardedFor: string) =>
    (await send(`${service.url}/v1/counts`, { ...headers, 'x-forwarded-for': forwardedFor })).status;

  /** The statuses of as many failures as are borne, and of one more. */
  const fail = async (forwardedFor: (attempt: number) => string) => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt <= ATTEMPTS; attempt++) statuses.push(await statusOf(wrong, forwardedFor(attempt)));
    return statuses;
  };

  const BORNE = Array.from({ length: ATTEMPTS }, () => 401);
  const THROTTLED = [...BORNE, 429];
  const NOT_THROTTLED = [...BORNE, 401];

  test.each([
    ['nobody is trusted', ''],
    ['another machine is trusted', '10.0.0.0/8, fd00::/8'],
  ])('while %s, a source does not escape its refusal by naming others in X-Forwarded-For', async (_what, trusted) => {
    await start(trusted);
    expect(await fail((attempt) => `192.0.2.${attempt}`)).toEqual(THROTTLED);
    expect(await statusOf(right, '192.0.2.99')).toBe(429);
  });

  test.each([
    ['the one proxy in front is', '1'],
    ['its address is', '127.0.0.1'],
    ['its network is', '127.0.0.0/8,::1'],
  ])('while %s trusted, the source that it names is refused and no other', async (_what, trusted) => {
    await start(trusted);
    expect(await fail(() => '192.0.2.1')).toEqual(THROTTLED);
    expect(await statusOf(right, '192.0.2.1')).toBe(429);
    expect(await statusOf(right, '192.0.2.2')).toBe(200);
  });

  test('what the client itself sends as X-Forwarded-For, before the proxy adds to it, is not believed', async () => {
    await start('1');
    expect(await fail((attempt) => `198.51.100.${attempt}, 192.0.2.1`)).toEqual(THROTTLED);
    expect(await statusOf(right, '198.51.100.99, 192.0.2.2')).toBe(200);
  });

  test('as many proxies are believed as are trusted', async () => {
    await start('2');
    expect(await fail((attempt) => `198.51.100.1, 192.0.2.1, 10.0.0.${attempt}`)).toEqual(THROTTLED);
    expect(await statusOf(right, '198.51.100.1, 192.0.2.2, 10.0.0.1')).toBe(200);
    expect(await fail((attempt) => `198.51.100.1, 192.0.2.${10 + attempt}, 10.0.0.1`)).toEqual(NOT_THROTTLED);
  });
});
