import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { denied, refusalOf } from '../support/service-refusal.js';

const HIDDEN = 'hidden-from-the-cart';

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let service: RunningService;
  let administrator: ServiceClient;
  let cart: ServiceClient;
  let writer: ServiceClient;
  /** The path of a session and its credential. */
  let path: string;
  let credential: string;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    const ofCart = ['session.create', 'session.list', 'session.read:cart.*', 'session.write:cart.*'];
    cart = clientOf(service, await service.register('cart', ...ofCart));
    writer = clientOf(service, await service.register('writer', 'session.write:cart.*'));
    administrator = clientOf(service, service.administrator);
  });

  beforeEach(async () => {
    const attributes = { role: HIDDEN, cart: HIDDEN, cartoon: HIDDEN, 'cart.total': 5 };
    await service.sessions.deleteAllSessions('alice');
    const session = await service.sessions.createSession('alice', undefined, { attributes });
    path = `/v1/sessions/${session.sessionId}`;
    ({ credential } = session);
  });

  afterAll(stopServices);

  test('omits attributes that the caller may not read from every answer with a session', async () => {
    const answers = [
      await cart<Session>(`GET ${path}`),
      await cart<Session>('POST /v1/sessions/verify', { credential }),
      await cart<Session>(`POST ${path}/refresh`),
      await cart<Session>(`GET ${path}/attributes`),
      await cart<Session>(`PUT ${path}/attributes/cart.total`, { value: 5 }),
      await cart<Session>(`PATCH ${path}/attributes`, { remove: ['cart.none'] }),
      await cart<Session>(`DELETE ${path}/attributes/cart.none`),
      await cart<Session>(`PUT ${path}`, { attributes: { 'cart.total': 5 } }, { 'if-match': '"2"' }),
      await cart<Session>('POST /v1/sessions/rotate', { credential }),
    ];
    for (const { status, text, json } of answers) {
      expect([Math.floor(status / 100), json.attributes]).toEqual([2, { 'cart.total': 5 }]);
      expect(text).not.toContain(HIDDEN);
    }
    const listed = await cart<{ sessions: Session[] }>('GET /v1/logins/alice/sessions');
    expect(listed.text).not.toContain(HIDDEN);
    expect(listed.json.sessions.at(-1)!.attributes).toEqual({ 'cart.total': 5 });
  });

  test('reports an attribute that the caller may not read as not found, like one that is not set', async () => {
    const notFound = { status: 404, code: 'ERR_ATTRIBUTE_NOT_FOUND', field: 'key' };
    for (const key of ['role', 'cart', 'cartoon', 'never-set']) {
      expect(await refusalOf(service, () => cart(`GET ${path}/attributes/${key}`))).toEqual(notFound);
    }
    expect((await cart(`GET ${path}/attributes/cart.total`)).status).toBe(200);
  });

  test('rejects a write as a whole if the caller may not write one of its attributes', async () => {
    const attempts = [
      ['role', () => cart(`PATCH ${path}/attributes`, { set: { 'cart.total': 6, role: 'admin' } })],
      ['role', () => cart(`PATCH ${path}/attributes`, { set: { 'cart.total': 6 }, remove: ['role'] })],
      ['cart', () => cart(`PUT ${path}/attributes/cart`, { value: 1 })],
      ['cartoon', () => cart(`DELETE ${path}/attributes/cartoon`)],
      ['never-set', () => cart(`DELETE ${path}/attributes/never-set`)],
      ['__proto__', () => cart(`PUT ${path}/attributes/__proto__`, { value: 1 })],
      ['role', () => cart('POST /v1/sessions', { loginId: 'bob', attributes: { 'cart.total': 1, role: 'admin' } })],
    ] as const;
    for (const [key, attempt] of attempts) {
      expect(await refusalOf(service, attempt)).toEqual(denied(`session.write:${key}`));
    }
  });

  test('shows neither attributes nor the client and the device to a caller that may only write', async () => {
    const set = await writer<Session>(`PUT ${path}/attributes/cart.note`, { value: 'x' });
    expect([set.status, set.json.attributes]).toEqual([200, {}]);
    const login = { loginId: 'erin', device: 'web', client: { ip: '203.0.113.7', userAgent: 'Firefox' } };
    const { sessionId } = await service.sessions.createSession('erin', undefined, {
      device: login.device,
      client: login.client,
    });
    for (const answer of [
      set,
      await writer<Session>(`PUT /v1/sessions/${sessionId}/attributes/cart.a`, { value: 1 }),
      await writer<Session>(`PATCH /v1/sessions/${sessionId}/attributes`, { set: { 'cart.b': 1 } }),
      await writer<Session>(`DELETE /v1/sessions/${sessionId}/attributes/cart.a`),
      await clientOf(service, await service.register('issuer', 'session.create'))<Session>('POST /v1/sessions', login),
    ]) {
      expect(Math.floor(answer.status / 100)).toBe(2);
      expect([answer.json.attributes, answer.json.client, answer.json.device]).toEqual([{}, undefined, undefined]);
    }
    const { json } = await administrator<Session>(`GET ${path}`);
    expect(json.attributes).toMatchObject({ 'cart.note': 'x', 'cart.total': 5 });
    const refusal = await refusalOf(service, () => writer(`GET ${path}/attributes/cart.note`));
    expect(refusal).toEqual(denied('session.read'));
  });

  test('creates a session with the attributes that the caller may write, or with none', async () => {
    const login = { loginId: 'carol', attributes: { 'cart.total': 1 } };
    const created = await cart<IssuedSessionView>('POST /v1/sessions', login);
    expect([created.status, created.json.serviceId]).toEqual([201, 'cart']);
    const creator = clientOf(service, await service.register('creator', 'session.create'));
    expect((await creator('POST /v1/sessions', { loginId: 'carol' })).status).toBe(201);
    const refusal = await refusalOf(service, () => creator('POST /v1/sessions', login));
    expect(refusal).toEqual(denied('session.write'));
  });
});
