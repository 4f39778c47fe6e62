import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalOf } from '../support/service-refusal.js';

const SECRET = 'hidden-from-the-cart';

const denied = (key: string) => ({
  status: 403,
  code: 'ERR_SERVICE_PERMISSION',
  permission: `session.write:${key}`,
});

describe.each(SERVERS)('what a service may do with attributes over %s', (HTTP_ADAPTER) => {
  let service: RunningService;
  let cart: ServiceClient;
  let writer: ServiceClient;
  let everything: ServiceClient;
  let path: string;
  let credential: string;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    const permissions = ['session.create', 'session.list', 'session.read:cart.*', 'session.write:cart.*'];
    cart = clientOf(service, await service.register('cart', ...permissions));
    writer = clientOf(service, await service.register('writer', 'session.write:cart.*'));
    everything = clientOf(service, service.administrator);
  });

  beforeEach(async () => {
    const attributes = { role: SECRET, cart: SECRET, cartoon: SECRET, 'cart.total': 5 };
    const session = await service.sessions.createSession('alice', undefined, { attributes });
    path = `/v1/sessions/${session.sessionId}`;
    ({ credential } = session);
  });

  afterAll(stopServices);

  test('a hidden attribute is absent from every answer that holds a session', async () => {
    const answers = [
      await cart<Session>(`GET ${path}`),
      await cart<Session>('POST /v1/sessions/verify', { credential }),
      await cart<Session>(`POST ${path}/refresh`),
      await cart<Session>(`GET ${path}/attributes`),
      await cart<Session>(`PUT ${path}/attributes/cart.total`, { value: 5 }),
      await cart<Session>(`PATCH ${path}/attributes`, { remove: ['cart.none'] }),
      await cart<Session>(`DELETE ${path}/attributes/cart.none`),
      await cart<Session>(`PUT ${path}`, { attributes: { 'cart.total': 5 } }, { 'if-match': '"2"' }),
      await cart<Session>(`POST ${path}/rotate`),
    ];
    for (const { status, text, json } of answers) {
      expect([Math.floor(status / 100), json.attributes]).toEqual([2, { 'cart.total': 5 }]);
      expect(text).not.toContain(SECRET);
    }
    const listed = await cart<{ sessions: Session[] }>('GET /v1/logins/alice/sessions');
    expect(listed.text).not.toContain(SECRET);
    expect(listed.json.sessions.at(-1)!.attributes).toEqual({ 'cart.total': 5 });
  });

  test('a hidden attribute is not found, just as one that is not set', async () => {
    const notFound = { status: 404, code: 'ERR_ATTRIBUTE_NOT_FOUND', field: 'key' };
    for (const key of ['role', 'cart', 'cartoon', 'never-set']) {
      expect(await refusalOf(service, () => cart(`GET ${path}/attributes/${key}`))).toEqual(notFound);
    }
    expect((await cart(`GET ${path}/attributes/cart.total`)).status).toBe(200);
  });

  test('a forbidden write is refused whole', async () => {
    const attempts = [
      ['role', () => cart(`PATCH ${path}/attributes`, { set: { 'cart.total': 6, role: 'admin' } })],
      ['role', () => cart(`PATCH ${path}/attributes`, { set: { 'cart.total': 6 }, remove: ['role'] })],
      ['cart', () => cart(`PUT ${path}/attributes/cart`, { value: 1 })],
      ['cartoon', () => cart(`DELETE ${path}/attributes/cartoon`)],
      ['never-set', () => cart(`DELETE ${path}/attributes/never-set`)],
      ['__proto__', () => cart(`PUT ${path}/attributes/__proto__`, { value: 1 })],
      ['role', () => cart('POST /v1/sessions', { loginId: 'bob', attributes: { 'cart.total': 1, role: 'admin' } })],
    ] as const;
    for (const [key, attempt] of attempts) expect(await refusalOf(service, attempt)).toEqual(denied(key));
  });

  test('a service that may only write sees nothing of what is there', async () => {
    const set = await writer<Session>(`PUT ${path}/attributes/cart.note`, { value: 'x' });
    expect([set.status, set.json.attributes]).toEqual([200, {}]);
    expect((await everything<Session>(`GET ${path}`)).json.attributes).toMatchObject({
      'cart.note': 'x',
      'cart.total': 5,
    });
    const refusal = await refusalOf(service, () => writer(`GET ${path}/attributes/cart.note`));
    expect(refusal).toEqual({ status: 403, code: 'ERR_SERVICE_PERMISSION', permission: 'session.read' });
  });

  test('a service may log in with attributes that it may write, and with none', async () => {
    const created = await cart<IssuedSessionView>('POST /v1/sessions', {
      loginId: 'carol',
      attributes: { 'cart.total': 1 },
    });
    expect([created.status, created.json.serviceId]).toEqual([201, 'cart']);
    const creator = clientOf(service, await service.register('creator', 'session.create'));
    expect((await creator('POST /v1/sessions', { loginId: 'carol' })).status).toBe(201);
    const refusal = await refusalOf(service, () =>
      creator('POST /v1/sessions', { loginId: 'carol', attributes: { 'cart.total': 1 } }),
    );
    expect(refusal).toEqual({ status: 403, code: 'ERR_SERVICE_PERMISSION', permission: 'session.write' });
  });

  test('a session id gives nobody access who lacks the permission, whoever made the session', async () => {
    const own = await cart<IssuedSessionView>('POST /v1/sessions', { loginId: 'dave' });
    for (const id of [own.json.sessionId, path.split('/').at(-1)]) {
      const refusal = await refusalOf(service, () => cart(`DELETE /v1/sessions/${id}?reason=kicked-out`));
      expect(refusal).toEqual({ status: 403, code: 'ERR_SERVICE_PERMISSION', permission: 'session.delete' });
    }
    const lister = clientOf(service, await service.register('lister', 'session.delete'));
    const requests: [string, string][] = [
      ['session.read', `GET ${path}`],
      ['session.read', `POST ${path}/refresh`],
      ['session.create', `POST ${path}/rotate`],
      ['session.list', 'GET /v1/logins/alice/sessions'],
      ['session.list', 'GET /v1/logins/alice/history'],
      ['session.list', 'GET /v1/logins'],
    ];
    for (const [permission, line] of requests) {
      const refusal = await refusalOf(service, () => lister(line));
      expect(refusal).toEqual({ status: 403, code: 'ERR_SERVICE_PERMISSION', permission });
    }
  });

  test('a session id is no credential, and a credential of a user is none of a service', async () => {
    const anybody = clientOf(service);
    const unproven = { status: 401, code: 'ERR_SERVICE_AUTHENTICATION' };
    for (const headers of [
      { authorization: `Bearer ${credential}` },
      { cookie: `__Host-session=${credential}` },
      { 'x-session-id': path.split('/').at(-1) },
    ]) {
      expect(await refusalOf(service, () => anybody(`GET ${path}`, undefined, headers))).toEqual(unproven);
      expect(await refusalOf(service, () => anybody(`DELETE ${path}`, undefined, headers))).toEqual(unproven);
    }
  });
});
