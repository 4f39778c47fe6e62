import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  InMemorySessionStorage,
  type IssuedSession,
  OptionalSession,
  ServiceAuthGuard,
  type ServiceCredential,
  type Session,
  SessionGuard,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import {
  type RequestHeaders,
  basic,
  bearer,
  cookie,
  serviceHeaders,
  sessionHeaders,
} from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

/** A gateway's token. Its characters are those of a session's token. */
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c';

@Controller()
class CallerController {
  @Get('account')
  @UseGuards(SessionGuard)
  account(@CurrentSession() { loginId }: Session) {
    return { caller: loginId };
  }

  @Get('login')
  @OptionalSession()
  @UseGuards(SessionGuard)
  login(@CurrentSession() session?: Session) {
    return { caller: session?.loginId ?? 'anonymous' };
  }

  @Get('service')
  @UseGuards(ServiceAuthGuard)
  service(@CurrentService() { serviceId }: ServiceCredential) {
    return { caller: serviceId };
  }

  @Get('open')
  @AllowAnonymousService()
  @UseGuards(ServiceAuthGuard)
  open(@CurrentService() service?: ServiceCredential) {
    return { caller: service?.serviceId ?? 'anonymous' };
  }
}

/** The credentials of one run. */
interface Given {
  readonly alice: IssuedSession;
  readonly ended: IssuedSession;
  readonly secret: string;
}

type HeadersOf = (given: Given) => RequestHeaders;

const cookieOf = ({ alice }: Given) => cookie(alice.credential);

describe.each(ADAPTERS)('A guard on %s', (_name, makeAdapter) => {
  let app: RunningApp;
  let given: Given;

  beforeAll(async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    app = await startSessionApp(makeAdapter, options, { controllers: [CallerController] });
    const ended = await app.sessions.createSession('alice');
    await app.sessions.deleteSession(ended.sessionId);
    const gateway = { serviceId: 'gateway', serviceName: 'Gateway', permissions: [] };
    const { secret } = await app.sessions.registerService(gateway);
    given = { alice: await app.sessions.createSession('alice'), ended, secret };
  });

  afterAll(closeApps);

  /** Returns the caller that the route saw, or the status and code of the response. */
  async function callerOf(path: string, headers: RequestHeaders | [string, string][]): Promise<string> {
    const answer = await (Array.isArray(headers) ? sendRaw(app.url, path, headers) : send(app.url + path, headers));
    const { caller, code } = answer.json as { caller?: string; code?: string };
    return caller ?? `${answer.status} ${code}`;
  }

  test.each<[string, HeadersOf]>([
    ["the cookie and a gateway's JWT", (g) => ({ ...cookieOf(g), ...bearer(JWT) })],
    ['the cookie and an opaque bearer token', (g) => ({ ...cookieOf(g), ...bearer('2YotnFZFEjr1zCsicMWpAA') })],
    ['the cookie and a bearer token of a session id alone', (g) => ({ ...cookieOf(g), ...bearer(g.alice.sessionId) })],
    ['the cookie and an empty bearer token', (g) => ({ ...cookieOf(g), authorization: 'Bearer' })],
    ["the cookie and a service's secret", (g) => ({ ...cookieOf(g), ...bearer(g.secret) })],
    ['the cookie and a credential for a proxy', (g) => ({ ...cookieOf(g), ...basic('alice', 'a password') })],
    ["the cookie and a load balancer's X-Session-Id", (g) => ({ ...cookieOf(g), 'x-session-id': 'node-7' })],
    ['the cookie and an X-Session-Id without a token', (g) => ({ ...cookieOf(g), 'x-session-id': g.alice.sessionId })],
    [
      'the cookie, an X-Session-Id of another form and a JWT',
      (g) => ({ ...cookieOf(g), 'x-session-id': '7', ...bearer(JWT) }),
    ],
    [
      'a bearer credential and an X-Session-Id of another form',
      (g) => ({ ...bearer(g.alice.credential), 'x-session-id': '7' }),
    ],
    ['a bearer credential and an emptied cookie', (g) => ({ ...bearer(g.alice.credential), ...cookie('') })],
    [
      'a bearer credential and a cookie of another form',
      (g) => ({ ...bearer(g.alice.credential), ...cookie('s%3Aabc') }),
    ],
    [
      'X-Session-Id with its token and a cookie of another form',
      (g) => ({ ...sessionHeaders(g.alice), ...cookie('x') }),
    ],
  ])('reads the only session credential of its form from %s', async (_what, headersOf) => {
    expect(await callerOf('/account', headersOf(given))).toBe('alice');
    expect(await callerOf('/login', headersOf(given))).toBe('alice');
  });

  test.each<[string, HeadersOf]>([
    [
      'a stale and a valid cookie',
      (g) => ({ cookie: `__Host-session=${g.ended.credential}; __Host-session=${g.alice.credential}` }),
    ],
    ['a valid and a malformed cookie', (g) => ({ cookie: `__Host-session=${g.alice.credential}; __Host-session=x` })],
    ['a cookie and a bearer credential', (g) => ({ ...cookie(g.ended.credential), ...bearer(g.alice.credential) })],
    ['a cookie and X-Session-Id with a token', (g) => ({ ...cookieOf(g), ...sessionHeaders(g.ended) })],
    [
      "a cookie and X-Session-Id with a gateway's JWT",
      (g) => ({ ...cookieOf(g), 'x-session-id': g.ended.sessionId, ...bearer(JWT) }),
    ],
  ])('does not choose between %s: 401, and anonymous under @OptionalSession()', async (_what, headersOf) => {
    expect(await callerOf('/account', headersOf(given))).toBe('401 ERR_SESSION_INPUT');
    expect(await callerOf('/login', headersOf(given))).toBe('anonymous');
  });

  test('does not choose between two Authorization or two X-Session-Id headers, whatever their form', async () => {
    const { alice } = given;
    for (const name of ['Authorization', 'X-Session-Id']) {
      const twice: [string, string][] = [
        ['Cookie', cookie(alice.credential)['cookie']!],
        [name, 'a'],
        [name, 'b'],
      ];
      expect([name, await callerOf('/account', twice)]).toEqual([name, '401 ERR_SESSION_INPUT']);
      expect([name, await callerOf('/login', twice)]).toEqual([name, 'anonymous']);
    }
  });

  test.each<[string, RequestHeaders]>([
    ['a JWT', bearer(JWT)],
    ['an empty bearer token', { authorization: 'Bearer' }],
    ['an X-Session-Id of another form', { 'x-session-id': 'node-7' }],
    ['an emptied cookie', cookie('')],
    ['several values of another form', { ...bearer(JWT), ...cookie('x'), 'x-session-id': '7' }],
  ])('rejects %s as the only session credential', async (_what, headers) => {
    expect(await callerOf('/account', headers)).toBe('401 ERR_SESSION_INPUT');
    expect(await callerOf('/login', headers)).toBe('anonymous');
  });

  test.each<[string, HeadersOf]>([
    ["headers and a gateway's JWT", (g) => ({ ...serviceHeaders('gateway', g.secret), ...bearer(JWT) })],
    [
      "headers and a user's credential",
      (g) => ({ ...serviceHeaders('gateway', g.secret), ...bearer(g.alice.credential) }),
    ],
    [
      'headers and a truncated bearer secret',
      (g) => ({ ...serviceHeaders('gateway', g.secret), ...bearer('dss_0123456789_abc') }),
    ],
    [
      "headers and a proxy's credential whose user is not a service id",
      (g) => ({ ...serviceHeaders('gateway', g.secret), ...basic('alice@example.org', 'p') }),
    ],
    [
      'headers and Basic that is not Base64',
      (g) => ({ ...serviceHeaders('gateway', g.secret), authorization: 'Basic ???' }),
    ],
    [
      "Basic and a mesh's X-Service-Id without a secret",
      (g) => ({ ...basic('gateway', g.secret), 'x-service-id': 'mesh/orders' }),
    ],
  ])('reads the only service credential of its form from %s', async (_what, headersOf) => {
    expect(await callerOf('/service', headersOf(given))).toBe('gateway');
    expect(await callerOf('/open', headersOf(given))).toBe('gateway');
  });

  test.each<[string, HeadersOf]>([
    [
      'headers and a credential for a proxy',
      (g) => ({ ...serviceHeaders('gateway', g.secret), ...basic('proxy', 'password') }),
    ],
    [
      'a bearer secret and an X-Service-Id without a secret',
      (g) => ({ ...bearer(g.secret), 'x-service-id': 'gateway' }),
    ],
    [
      'Basic and an X-Service-Secret without an id',
      (g) => ({ ...basic('gateway', g.secret), 'x-service-secret': g.secret }),
    ],
    ['headers and a bearer secret', (g) => ({ ...serviceHeaders('gateway', g.secret), ...bearer(g.secret) })],
  ])('does not choose between %s: 401, also under @AllowAnonymousService()', async (_what, headersOf) => {
    expect(await callerOf('/service', headersOf(given))).toBe('401 ERR_SERVICE_AUTHENTICATION');
    expect(await callerOf('/open', headersOf(given))).toBe('401 ERR_SERVICE_AUTHENTICATION');
  });
});
