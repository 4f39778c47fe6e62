import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { basic, bearer, serviceHeaders } from '../support/credential-headers.js';
import { type Answer, send } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type SentHeaders, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';

/** The number of failures after which a source is throttled. */
const ATTEMPTS = 10;
const COUNTS = 'GET /v1/counts';
const unauthenticated = { status: 401, code: 'ERR_SERVICE_AUTHENTICATION' };

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let service: RunningService;
  let secret: string;
  let other: string;
  let serviceId: string;
  let services = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    service = await startService({ variables: { HTTP_ADAPTER }, storage: new InMemorySessionStorage({ clock }) });
    ({ secret: other } = await register('other'));
  });

  beforeEach(async () => {
    serviceId = `order-${++services}`;
    ({ secret } = await register(serviceId));
  });

  afterAll(stopServices);

  const register = (id: string) =>
    service.sessions.registerService({ serviceId: id, serviceName: id, permissions: ['session.list'] });
  const call = (headers: SentHeaders, line = COUNTS) => clientOf(service)(line, undefined, headers);

  test('accepts a service credential as HTTP Basic, as a bearer token and in its own headers', async () => {
    const encoded = Buffer.from(`${serviceId}:${secret}`).toString('base64');
    for (const headers of [
      basic(serviceId, secret),
      bearer(secret),
      serviceHeaders(serviceId, secret),
      { authorization: `basic ${encoded}` },
      { authorization: `BEARER  ${secret}` },
      service.administrator,
    ]) {
      expect([headers, (await call(headers)).status]).toEqual([headers, 200]);
    }
  });

  test('gives the same answer to every failed authentication, byte for byte', async () => {
    const attempts: SentHeaders[] = [
      {},
      basic(serviceId, other),
      basic('unknown', other),
      basic('unknown', secret),
      basic(serviceId, 'a-wrong-secret-of-its-own'),
      basic('unknown', 'a-wrong-secret-of-its-own'),
      basic(serviceId, ''),
      basic('', secret),
      basic(`${serviceId} `, secret),
      basic(serviceId.toUpperCase(), secret),
      basic(serviceId, `${secret} `),
      basic(serviceId, secret.slice(0, -1)),
      basic(serviceId, 'x'.repeat(5_000)),
      basic('not an id', secret),
      basic('__proto__', secret),
      bearer(secret.replace(/.$/, '!')),
      bearer('dss_'),
      bearer(''),
      serviceHeaders(serviceId, other),
      serviceHeaders('unknown', other),
      { 'x-service-id': serviceId },
      { 'x-service-secret': secret },
      { authorization: '' },
      { authorization: 'Basic' },
      { authorization: 'Basic !!!' },
      { authorization: `Basic ${Buffer.from(serviceId).toString('base64')}` },
      { authorization: `Digest ${secret}` },
      { authorization: secret },
    ];
    const answers = new Set<string>();
    for (const headers of attempts) {
      const answer = await call(headers);
      expect([headers, refusalIn(answer)]).toEqual([headers, unauthenticated]);
      answers.add(shown(answer));
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain('"www-authenticate","Basic realm=\\"services\\", charset=\\"UTF-8\\""');
  });

  test('accepts no service credential from a URL, a body or a cookie', async () => {
    const encoded = Buffer.from(`${serviceId}:${secret}`).toString('base64');
    const host = new URL(service.url).host;
    const lines = [
      `${COUNTS}?secret=${secret}`,
      `${COUNTS}?access_token=${secret}`,
      `${COUNTS}?authorization=Basic%20${encoded}`,
      `${COUNTS}?x-service-id=${serviceId}&x-service-secret=${secret}`,
      `${COUNTS}?serviceId=${serviceId}&secret=${secret}`,
      `${COUNTS};x-service-secret=${secret}`,
      `GET http://${serviceId}:${secret}@${host}/v1/counts`,
      `GET /${serviceId}:${secret}@/v1/counts`,
      `GET /v1/services/${secret}`,
    ];
    for (const line of lines) {
      const refusal = await refusalOf(service, () => call({}, line));
      expect([line, [400, 401, 404].includes(refusal['status'] as number)]).toEqual([line, true]);
      const answer = await call({ cookie: `secret=${secret}; x-service-secret=${secret}` }, line);
      expect(answer.text).not.toContain(secret);
    }
    const body = { serviceId, secret, loginId: 'alice', permissions: [] };
    for (const line of ['POST /v1/sessions', 'POST /v1/services', 'POST /v1/services/verify']) {
      expect(await refusalOf(service, () => clientOf(service)(line, body))).toEqual(unauthenticated);
    }
  });

  test('throttles failed authentications with 429 and Retry-After, but no generated secret that is correct', async () => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      expect(refusalIn(await call(basic(serviceId, other)))).toEqual(unauthenticated);
    }
    clock.advance(500);
    for (const headers of [basic(serviceId, other), basic(serviceId, 'chosen'), serviceHeaders(serviceId, other)]) {
      const answer = await call(headers);
      expect(refusalIn(answer)).toEqual({ status: 429, code: 'ERR_SERVICE_AUTHENTICATION' });
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(answer.headers.get('www-authenticate')).toBeNull();
    }
    for (const headers of [basic('other', other), basic(serviceId, secret), serviceHeaders(serviceId, secret)]) {
      expect((await call(headers)).status).toBe(200);
    }
    clock.advance(58_500);
    expect((await call(basic(serviceId, other))).headers.get('retry-after')).toBe('1');
    clock.advance(1_000);
    expect((await call(basic(serviceId, other))).status).toBe(401);
  });

  test('throttles an unknown service id like a registered one', async () => {
    clock.advance(60_000);
    const texts: string[][] = [];
    for (const id of [serviceId, `unknown-${serviceId}`]) {
      const answers: string[] = [];
      for (let attempt = 0; attempt <= ATTEMPTS; attempt++) answers.push(shown(await call(basic(id, other))));
      texts.push(answers);
    }
    expect(texts[0]).toEqual(texts[1]);
    expect(texts[0]!.at(-1)).toContain('429');
  });

  test('rejects a credential that is sent twice, or in two places', async () => {
    const headers = { 'x-service-id': serviceId, 'x-service-secret': secret };
    const { authorization } = basic(serviceId, secret) as { authorization: string };
    for (const two of [
      { authorization: [authorization, authorization] },
      { authorization: [authorization, 'Basic x'] },
      { authorization: ['Basic x', authorization] },
      { authorization: [authorization, ''] },
      { ...headers, 'x-service-id': [serviceId, serviceId] },
      { ...headers, 'x-service-id': [serviceId, 'admin'] },
      { ...headers, 'x-service-secret': [secret, secret] },
      { ...headers, authorization },
      { ...headers, ...bearer(secret) },
      { authorization, 'x-service-id': serviceId },
      { authorization, 'x-service-secret': secret },
    ]) {
      expect([two, refusalIn(await call(two))]).toEqual([two, unauthenticated]);
    }
  });
});

describe.each(SERVERS)('On %s, TRUST_PROXY', (HTTP_ADAPTER) => {
  let service: RunningService;
  let right: Record<string, string>;
  let wrong: Record<string, string>;

  afterEach(stopServices);

  const start = async (TRUST_PROXY: string) => {
    service = await startService({ variables: { HTTP_ADAPTER, TRUST_PROXY } });
    right = await service.register('gateway', 'session.list');
    const registration = { serviceId: 'other', serviceName: 'Other', permissions: [] };
    // A generated secret is refused without a slow hash.
    wrong = basic('gateway', (await service.sessions.registerService(registration)).secret);
  };

  const statusOf = async (headers: Record<string, string>, forwardedFor: string) =>
    (await send(`${service.url}/v1/counts`, { ...headers, 'x-forwarded-for': forwardedFor })).status;

  /** The statuses of as many failures as are allowed, and of one more. */
  const fail = async (forwardedFor: (attempt: number) => string) => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt <= ATTEMPTS; attempt++) statuses.push(await statusOf(wrong, forwardedFor(attempt)));
    return statuses;
  };

  const ALLOWED = Array.from({ length: ATTEMPTS }, () => 401);
  const THROTTLED = [...ALLOWED, 429];
  const NOT_THROTTLED = [...ALLOWED, 401];

  test.each([
    ['without a value', ''],
    ['with another network', '10.0.0.0/8, fd00::/8'],
  ])('%s does not let a source escape throttling with X-Forwarded-For', async (_what, trusted) => {
    await start(trusted);
    expect(await fail((attempt) => `192.0.2.${attempt}`)).toEqual(THROTTLED);
    // A generated secret that is correct is never throttled.
    expect(await statusOf(right, '192.0.2.99')).toBe(200);
  });

  test.each([
    ['with one proxy', '1'],
    ["with the proxy's address", '127.0.0.1'],
    ["with the proxy's network", '127.0.0.0/8,::1'],
  ])('%s throttles only the source that the proxy names', async (_what, trusted) => {
    await start(trusted);
    expect(await fail(() => '192.0.2.1')).toEqual(THROTTLED);
    expect([await statusOf(wrong, '192.0.2.1'), await statusOf(wrong, '192.0.2.2')]).toEqual([429, 401]);
    expect(await statusOf(right, '192.0.2.1')).toBe(200);
  });

  test('with one proxy ignores the X-Forwarded-For entries that the client sent', async () => {
    await start('1');
    expect(await fail((attempt) => `198.51.100.${attempt}, 192.0.2.1`)).toEqual(THROTTLED);
    expect(await statusOf(right, '198.51.100.99, 192.0.2.2')).toBe(200);
  });

  test('with two proxies trusts exactly two entries', async () => {
    await start('2');
    expect(await fail((attempt) => `198.51.100.1, 192.0.2.1, 10.0.0.${attempt}`)).toEqual(THROTTLED);
    expect(await statusOf(right, '198.51.100.1, 192.0.2.2, 10.0.0.1')).toBe(200);
    expect(await fail((attempt) => `198.51.100.1, 192.0.2.${10 + attempt}, 10.0.0.1`)).toEqual(NOT_THROTTLED);
  });
});

/** An answer without its date and its request id. */
function shown({ status, headers, text }: Answer): string {
  const id = headers.get('x-request-id')!;
  const kept = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id');
  return JSON.stringify([status, kept, text.replace(id, '')]);
}
