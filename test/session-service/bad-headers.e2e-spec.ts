import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BothServers, sessionIdOf, startBothServers } from '../support/both-servers.js';
import { basic, bearer } from '../support/credential-headers.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { clientOf } from '../support/service-client.js';
import { refusalIn } from '../support/service-refusal.js';

const SESSION = `/v1/sessions/${sessionIdOf(1)}`;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const unproven = { status: 401, code: 'ERR_SERVICE_AUTHENTICATION' };

describe('a header', () => {
  let servers: BothServers;

  beforeAll(async () => {
    servers = await startBothServers();
  });

  afterAll(stopServices);

  test.each<[name: string, values: string[]]>([
    ['Content-Type', ['application/json', 'application/json']],
    ['Content-Type', ['application/json', 'text/plain']],
    ['Content-Encoding', ['identity', 'identity']],
    ['If-Match', ['"1"', '"1"']],
    ['If-Match', ['"9"', '"1"']],
    ['Idempotency-Key', ['a', 'a']],
    ['Idempotency-Key', ['a', 'b']],
    ['Last-Event-ID', ['a', 'a']],
    ['X-Request-Id', ['a', 'a']],
    ['X-Request-Id', ['a', 'b']],
  ])('%s is refused when it is sent twice, also as %j', async (name, values) => {
    const refused = { status: 400, code: 'ERR_REQUEST_HEADER', field: name.toLowerCase() };
    const headers = { 'if-match': '"1"', 'content-type': 'application/json' };
    const sent = Object.fromEntries(Object.entries(headers).filter(([given]) => given !== name.toLowerCase()));
    for (const [line, body] of [
      [`PUT ${SESSION}`, { attributes: {} }],
      ['POST /v1/sessions', { loginId: 'bob' }],
    ] as const) {
      expect(await servers.refusalOf(line, body, { ...sent, [name]: values })).toEqual(refused);
    }
    expect(await servers.refusalOf('GET /v1/events', undefined, { [name]: values })).toEqual(refused);
  });

  test.each([
    ['Last-Event-ID', 'GET /v1/events', 'not-an-id'],
    ['Last-Event-ID', 'GET /v1/events', '0123456789ab-'],
    ['Idempotency-Key', 'POST /v1/sessions', 'with space'],
  ])('%s is refused on %s as %j', async (name, line, value) => {
    const body = line.startsWith('POST') ? { loginId: 'bob' } : undefined;
    const refused = { status: 400, code: 'ERR_REQUEST_HEADER', field: name };
    expect(await servers.refusalOf(line, body, { [name]: value })).toEqual(refused);
  });

  test('that proves nobody is refused alike, whatever is in it', async () => {
    const { authorization } = basic('client', 'dss_');
    for (const headers of [{ authorization: undefined }, { authorization }, { authorization: 'Basic' }]) {
      expect(await servers.refusalOf('GET /v1/counts', undefined, headers)).toEqual(unproven);
      expect(await servers.refusalOf('POST /v1/sessions', { loginId: 'bob' }, headers)).toEqual(unproven);
      expect(await servers.headerOf('www-authenticate', 'GET /v1/counts', undefined, headers)).toMatch(/^Basic /);
    }
  });

  test('that asks for a part, another form, or nothing if unchanged, has no effect', async () => {
    for (const headers of [
      { range: 'bytes=0-1' },
      { accept: 'text/html' },
      { 'accept-encoding': 'gzip' },
      { 'if-none-match': '"1"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': new Date(0).toUTCString() },
      { 'x-http-method-override': 'DELETE' },
    ]) {
      expect(await servers.statusOf(`GET ${SESSION}`, undefined, headers)).toBe(200);
    }
  });
});

describe.each(SERVERS)('a header over %s', (HTTP_ADAPTER) => {
  let service: RunningService;
  let known: Record<string, string>;
  let secret: string;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    const registration = { serviceId: 'known', serviceName: 'Known', permissions: ['session.list'] };
    ({ secret } = await service.sessions.registerService(registration));
    known = basic('known', secret);
  });

  afterAll(stopServices);

  test('X-Request-Id names the request in the answer, as the client does', async () => {
    const client = clientOf(service, known);
    for (const id of ['a', '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f', 'trace:1.2_3-4', 'x'.repeat(128)]) {
      const named = { 'x-request-id': id };
      expect((await client('GET /v1/counts', undefined, named)).headers.get('x-request-id')).toBe(id);
      const refusals = [
        await client('GET /nowhere', undefined, named),
        await client('GET /v1/services', undefined, named),
        await client('GET /v1/logins/%zz/history', undefined, named),
        await clientOf(service)('GET /v1/counts', undefined, named),
      ];
      for (const { json } of refusals) expect(json).toMatchObject({ requestId: id });
    }
  });

  test('X-Request-Id is made anew where it is missing or malformed', async () => {
    const client = clientOf(service, known);
    const made = new Set<string>();
    const given = [undefined, '', ' ', 'a b', 'a/b', '<b>', 'é', 'x'.repeat(129), 'a\tb'];
    for (const id of given) {
      const { headers } = await client('GET /v1/counts', undefined, { 'x-request-id': id });
      expect(headers.get('x-request-id')).toMatch(UUID);
      made.add(headers.get('x-request-id')!);
    }
    expect(made.size).toBe(given.length);
  });

  test('a credential is refused when it is sent twice, or in two places', async () => {
    const headers = { 'x-service-id': 'known', 'x-service-secret': secret };
    const { authorization } = known as { authorization: string };
    for (const one of [known, bearer(secret), headers]) {
      expect((await clientOf(service, one)('GET /v1/counts')).status).toBe(200);
    }
    for (const two of [
      { authorization: [authorization, authorization] },
      { authorization: [authorization, 'Basic x'] },
      { authorization: ['Basic x', authorization] },
      { authorization: [authorization, ''] },
      { ...headers, 'x-service-id': ['known', 'known'] },
      { ...headers, 'x-service-id': ['known', 'admin'] },
      { ...headers, 'x-service-secret': [secret, secret] },
      { ...headers, authorization },
      { ...headers, ...bearer(secret) },
      { ...known, 'x-service-id': 'known' },
      { ...known, 'x-service-secret': secret },
    ]) {
      const answer = await clientOf(service)('GET /v1/counts', undefined, two);
      expect([two, refusalIn(answer)]).toEqual([two, unproven]);
    }
  });
});
