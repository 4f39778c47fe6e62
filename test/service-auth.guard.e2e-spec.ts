import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  RequireServicePermission,
  ServiceAuthGuard,
  type ServiceCredential,
  ServicePermissionGuard,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { type RequestHeaders, basic, bearer, serviceHeaders } from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';
import { WatchedStorage } from './support/watched-storage.js';

const CHOSEN_SECRET = 'a secret: chosen by hand, ~~~???!!';

@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
@Controller('orders')
class OrdersController {
  @Get()
  @RequireServicePermission('session.read')
  list(@CurrentService() service: ServiceCredential) {
    return { caller: service.serviceId, permissions: service.permissions };
  }

  @Get('open')
  @AllowAnonymousService()
  open(@CurrentService() service?: ServiceCredential) {
    return { caller: service?.serviceId ?? 'anonymous' };
  }
}

const BASE64 = Buffer.from(`chosen:${CHOSEN_SECRET}`).toString('base64');

/** Texts that `Buffer.from(…, 'base64')` decodes to a valid credential, and credentials that RFC 7617 forbids. */
const MALFORMED_BASE64: readonly (readonly [string, string])[] = [
  ['followed by junk', `${BASE64}!junk`],
  ['followed by a comma and another credential', `${BASE64}, Basic ${BASE64}`],
  ['followed by a parameter', `${BASE64} realm="services"`],
  ['with a space in it', `${BASE64.slice(0, 8)} ${BASE64.slice(8)}`],
  ['with missing padding', BASE64.replace(/=+$/, '')],
  ['with extra padding', `${BASE64}=`],
  ['in quotes', `"${BASE64}"`],
  ['in the alphabet of URLs', Buffer.from('chosen:???????????>').toString('base64url')],
  ['with bits after the last byte', BASE64.replace(/.(=+)$/, (_all, padding: string) => `B${padding}`)],
  ['with a control character', Buffer.from(`chosen:${CHOSEN_SECRET}\n`).toString('base64')],
  ['with a null character', Buffer.from(`chosen\0:${CHOSEN_SECRET}`).toString('base64')],
  ['that is not UTF-8', Buffer.from(`chosen:${CHOSEN_SECRET}é`, 'latin1').toString('base64')],
];

/** The secrets of the registered services. */
interface Secrets {
  readonly gateway: string;
  readonly reporting: string;
  /** The secret of a revoked service. */
  readonly revoked: string;
}

const EXPECTED: Record<number, object> = {
  200: { status: 200, challenge: null, json: { permissions: ['session.read'] } },
  401: {
    status: 401,
    challenge: 'Basic realm="services", charset="UTF-8"',
    caching: 'private, no-store',
    json: { statusCode: 401, code: 'ERR_SERVICE_AUTHENTICATION' },
  },
  403: {
    status: 403,
    challenge: null,
    caching: 'private, no-store',
    json: { statusCode: 403, code: 'ERR_SERVICE_PERMISSION', permission: 'session.read' },
  },
};

describe.each(ADAPTERS)('ServiceAuthGuard on %s', (_name, makeAdapter) => {
  let storage: WatchedStorage;
  let orders: RunningApp;
  let secrets: Secrets;

  beforeEach(async () => {
    storage = new WatchedStorage();
    orders = await startSessionApp(makeAdapter, { serviceId: 'orders', storage }, { controllers: [OrdersController] });
    const register = async (serviceId: string, permissions: string[], secretKey?: string) =>
      (await orders.sessions.registerService({ serviceId, serviceName: serviceId, permissions, secretKey })).secret;
    secrets = {
      gateway: await register('gateway', ['session.read']),
      reporting: await register('reporting', ['session.list']),
      revoked: await register('revoked', ['session.read']),
    };
    await register('chosen', ['session.read'], CHOSEN_SECRET);
    await orders.sessions.revokeService('revoked');
    storage.calls.length = 0;
  });

  afterEach(closeApps);

  test.each<[string, number, (s: Secrets) => RequestHeaders]>([
    ['no credential', 401, () => ({})],
    ['the id and secret in Basic', 200, (s) => basic('gateway', s.gateway)],
    ['the secret as a bearer token', 200, (s) => bearer(s.gateway)],
    ['the id and secret in headers', 200, (s) => serviceHeaders('gateway', s.gateway)],
    [
      'an authentication scheme in another case',
      200,
      (s) => ({ authorization: basic('gateway', s.gateway)['authorization']!.replace('Basic', 'bAsIc') }),
    ],
    ['a chosen secret with a colon in Basic', 200, () => basic('chosen', CHOSEN_SECRET)],
    ["another service's secret in Basic", 401, (s) => basic('gateway', s.reporting)],
    ["another service's secret in headers", 401, (s) => serviceHeaders('gateway', s.reporting)],
    ['an unknown service in Basic', 401, (s) => basic('unknown', s.gateway)],
    ['the secret of a revoked service', 401, (s) => bearer(s.revoked)],
    ['an id without a secret', 401, () => ({ 'x-service-id': 'gateway' })],
    ['a secret without an id', 401, (s) => ({ 'x-service-secret': s.gateway })],
    ['a bearer token that is not a service secret', 401, () => bearer('eyJhbGciOiJub25lIn0')],
    ['another authentication scheme', 401, (s) => ({ authorization: `Digest ${s.gateway}` })],
    ['a service without the permission', 403, (s) => bearer(s.reporting)],
  ])('responds to %s with %i', async (_credential, status, headersOf) => {
    const answer = await send(`${orders.url}/orders`, headersOf(secrets));
    const { headers, json } = answer;
    const challenge = headers.get('www-authenticate');
    const seen = { status: answer.status, challenge, caching: headers.get('cache-control'), json };
    expect(seen).toMatchObject(EXPECTED[status]!);
  });

  test.each<[string, (s: Secrets) => [string, string][]]>([
    ['Authorization twice', (s) => twice('Authorization', basic('gateway', s.gateway)['authorization']!)],
    [
      'Authorization twice, in different cases',
      (s) => [
        ['authorization', `Bearer ${s.gateway}`],
        ['AUTHORIZATION', `Bearer ${s.gateway}`],
      ],
    ],
    ['X-Service-Id twice', (s) => [...twice('X-Service-Id', 'gateway'), ['X-Service-Secret', s.gateway]]],
    ['X-Service-Secret twice', (s) => [['X-Service-Id', 'gateway'], ...twice('X-Service-Secret', s.gateway)]],
    [
      'Basic and headers together',
      (s) => Object.entries({ ...basic('gateway', s.gateway), ...serviceHeaders('gateway', s.gateway) }),
    ],
    [
      'a bearer secret and headers together',
      (s) => Object.entries({ ...bearer(s.gateway), ...serviceHeaders('gateway', s.gateway) }),
    ],
  ])('rejects %s, although each credential is valid', async (_duplicate, headersOf) => {
    for (const path of ['/orders', '/orders/open']) {
      const answer = await sendRaw(orders.url, path, headersOf(secrets));
      expect([path, answer.status]).toEqual([path, 401]);
    }
    expect(storage.calls).toEqual([]);
  });

  test('reads no credential from the URL', async () => {
    const { gateway } = secrets;
    const query = new URLSearchParams({
      'x-service-id': 'gateway',
      'x-service-secret': gateway,
      authorization: `Bearer ${gateway}`,
      access_token: gateway,
      secret: gateway,
    });
    for (const target of [`/orders?${query.toString()}`, `http://gateway:${gateway}@localhost/orders`]) {
      expect((await sendRaw(orders.url, target)).status).toBe(401);
    }
    expect(storage.calls).toEqual([]);
  });

  test('responds to an unknown service and a wrong secret with the same bytes', async () => {
    const { gateway, revoked } = secrets;
    const wrongSecret = (await orders.sessions.rotateServiceSecret('gateway', { overlapMs: 0 })) && gateway;
    const refusals = await Promise.all([
      send(`${orders.url}/orders`, basic('revoked', revoked)),
      send(`${orders.url}/orders`, basic('gateway', wrongSecret)),
      send(`${orders.url}/orders`, basic('unknown', 'an unknown secret')),
      send(`${orders.url}/orders`, basic('chosen', 'an unknown secret')),
      send(`${orders.url}/orders`, bearer(revoked)),
      send(`${orders.url}/orders`, bearer(wrongSecret)),
      send(`${orders.url}/orders`, serviceHeaders('revoked', revoked)),
      send(`${orders.url}/orders`, serviceHeaders('gateway', wrongSecret)),
    ]);
    const seen = refusals.map(({ status, headers, text }) => {
      return JSON.stringify([status, [...headers].filter(([name]) => name !== 'date'), text]);
    });
    expect(new Set(seen).size).toBe(1);
    expect(refusals[0].status).toBe(401);
  });

  test.each<[string, RequestHeaders]>([
    ['Basic that is not valid base64', { authorization: 'Basic ???' }],
    ['Basic without credentials', { authorization: 'Basic' }],
    ['Basic after a tab', { authorization: basic('gateway', CHOSEN_SECRET)['authorization']!.replace(' ', '\t') }],
    ...MALFORMED_BASE64.map(([what, encoded]): [string, RequestHeaders] => [
      `Basic ${what}`,
      { authorization: `Basic ${encoded}` },
    ]),
    ['Basic without a colon', { authorization: `Basic ${Buffer.from('gateway').toString('base64')}` }],
    ['Basic without a secret', basic('gateway', '')],
    ['Basic without an id', basic('', 'a plausible secret')],
    ['an id with forbidden characters', basic('../gateway', 'a plausible secret')],
    ['an id that is too long', serviceHeaders('g'.repeat(129), 'a plausible secret')],
    ['a secret that is too long', serviceHeaders('gateway', 's'.repeat(513))],
    ['a truncated bearer secret', bearer('dss_0123456789_abc')],
    ['a bearer secret with a wrong checksum', bearer(`dss_0123456789_${'0'.repeat(49)}`)],
    ['an empty secret in headers', serviceHeaders('gateway', '')],
  ])('rejects %s without reading the storage', async (_malformed, headers) => {
    expect((await send(`${orders.url}/orders`, headers)).status).toBe(401);
    expect(storage.calls).toEqual([]);
  });

  test('accepts a request without a credential under @AllowAnonymousService(), but not with an invalid one', async () => {
    const open = `${orders.url}/orders/open`;
    expect((await send(open)).json).toEqual({ caller: 'anonymous' });
    expect((await send(open, bearer(secrets.gateway))).json).toEqual({ caller: 'gateway' });
    expect((await send(open, bearer(secrets.revoked))).status).toBe(401);
  });

  test.each(['/orders', '/orders/open'])(
    'responds to %s with 503 while the storage is unavailable, not as to an anonymous request',
    async (path) => {
      storage.failure = new StorageUnavailableError();
      const answer = await send(`${orders.url}${path}`, basic('gateway', secrets.gateway));
      expect(answer.status).toBe(503);
      expect(answer.json).toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.headers.get('www-authenticate')).toBeNull();
      storage.failure = undefined;
      expect((await send(`${orders.url}${path}`, basic('gateway', secrets.gateway))).status).toBe(200);
    },
  );
});

function twice(name: string, value: string): [string, string][] {
  return [
    [name, value],
    [name, value],
  ];
}
