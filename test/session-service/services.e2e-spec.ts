import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { InMemorySessionStorage, type ServiceCredential } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { IssuedServiceView } from '../../src/services/service.dto.js';
import { basic, bearer } from '../support/credential-headers.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';

const PERMISSIONS = ['session.list', 'session.write:order.*'];

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let service: RunningService;
  let manager: ServiceClient;
  let serviceId: string;
  let services = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    service = await startService({ variables: { HTTP_ADAPTER }, storage: new InMemorySessionStorage({ clock }) });
    manager = clientOf(service, await service.register('manager', 'service.*', 'session.list', 'session.write'));
  });

  beforeEach(() => {
    serviceId = `order-${++services}`;
  });

  afterAll(stopServices);

  async function register(body: object = {}): Promise<IssuedServiceView> {
    const registration = { serviceId, serviceName: 'Orders', permissions: PERMISSIONS, ...body };
    const { status, json } = await manager<IssuedServiceView>('POST /v1/services', registration);
    expect(status).toBe(201);
    return json;
  }

  /** The status that a caller with these headers receives. */
  const statusWith = async (headers: Record<string, string>) =>
    (await clientOf(service, headers)('GET /v1/counts')).status;

  test('registers a service with a Location and a generated secret, which authenticates it', async () => {
    const registration = { serviceId, serviceName: 'Orders \u{1F34A}', permissions: PERMISSIONS };
    const { status, headers, json } = await manager<IssuedServiceView>('POST /v1/services', registration);
    expect([status, headers.get('location'), headers.get('etag'), headers.get('cache-control')]).toEqual([
      201,
      `/v1/services/${serviceId}`,
      null,
      'no-store',
    ]);
    const { secret, keyId } = json;
    expect(json).toEqual({
      ...registration,
      version: 1,
      createdAt: clock.now(),
      secrets: [{ keyId, createdAt: clock.now() }],
      keyId,
      secret: expect.stringMatching(new RegExp(`^dss_${keyId}_[0-9A-Za-z]{49}$`)),
    });
    expect(await statusWith(basic(serviceId, secret))).toBe(200);
    expect(await statusWith(bearer(secret))).toBe(200);
  });

  test('lists and reads services without their secrets', async () => {
    const { secret, keyId, ...registered } = await register();
    const one = await manager<ServiceCredential>(`GET /v1/services/${serviceId}`);
    const all = await manager<{ services: ServiceCredential[] }>('GET /v1/services');
    expect(one.json).toEqual(registered);
    expect(all.json.services).toContainEqual(registered);
    const ids = all.json.services.map((listed) => listed.serviceId);
    expect(ids).toEqual(ids.toSorted());
    for (const { status, headers, text } of [one, all, await manager(`HEAD /v1/services/${serviceId}`)]) {
      expect([status, headers.get('cache-control'), headers.get('location')]).toEqual([200, 'no-store', null]);
      expect(text).not.toMatch(/dss_|digest|hash/);
    }
  });

  test('generates every secret, and rejects a chosen one without comparing it', async () => {
    const secretKey = 'a secret that another service has';
    const registration = { serviceId, serviceName: 'Orders', permissions: [] };
    await service.sessions.registerService({ ...registration, serviceId: `chosen-${serviceId}`, secretKey });
    const refused = { status: 400, code: 'ERR_REQUEST_INPUT', field: 'secretKey' };
    for (const given of [secretKey, 'a secret that no service has', 'short', null]) {
      for (const [line, body] of [
        ['POST /v1/services', registration],
        ['POST /v1/services', { ...registration, serviceId: 'manager', replace: true }],
        ['POST /v1/services/manager/secrets', { overlapMs: 0 }],
      ] as const) {
        expect(await refusalOf(service, () => manager(line, { ...body, secretKey: given }))).toEqual(refused);
      }
    }
    const { json } = await manager<{ detail: string }>('POST /v1/services/manager/secrets', { secretKey });
    expect(json.detail).toBe('Unknown field "secretKey". Known fields: overlapMs.');
  });

  test('rejects a second registration of a service id, unless replace is true', async () => {
    const first = await register();
    const again = { serviceId, serviceName: 'Others', permissions: [] };
    const refused = { status: 409, code: 'ERR_SERVICE_EXISTS' };
    for (const replace of [undefined, false]) {
      const request = () => manager('POST /v1/services', { ...again, replace });
      expect(await refusalOf(service, request)).toEqual(refused);
    }
    const second = await register({ ...again, replace: true });
    expect(second).toMatchObject({ serviceName: 'Others', permissions: [], createdAt: first.createdAt });
    expect(await statusWith(basic(serviceId, first.secret))).toBe(401);
    expect(await statusWith(basic(serviceId, second.secret))).toBe(403);
  });

  test('revokes a service immediately, and keeps its sessions', async () => {
    const { secret } = await register({ permissions: ['session.list'] });
    const { sessionId } = await service.sessions
      .as({ serviceId, permissions: ['session.create'] })
      .createSession('alice');
    expect(await statusWith(basic(serviceId, secret))).toBe(200);
    const revoked = await manager(`DELETE /v1/services/${serviceId}`);
    expect([revoked.status, revoked.json, revoked.headers.get('cache-control')]).toEqual([
      200,
      { revoked: true },
      'no-store',
    ]);
    expect(await statusWith(basic(serviceId, secret))).toBe(401);
    expect((await manager(`DELETE /v1/services/${serviceId}`)).json).toEqual({ revoked: false });
    expect((await service.sessions.getSession(sessionId)).serviceId).toBe(serviceId);
  });

  test.each([
    ['newer-format', 503, 'ERR_STORAGE_NEWER_FORMAT'],
    ['corrupt', 500, 'ERR_STORAGE_CORRUPT'],
  ] as const)(
    'marks a service that is unreadable (%s) in the list, and reads it as %i',
    async (unreadable, status, code) => {
      await register();
      const { services: stored } = service.storage;
      const listed = await stored.list();
      const list = jest.spyOn(stored, 'list').mockResolvedValue([...listed, { serviceId: 'zz', unreadable }]);
      const { json } = await manager<{ services: object[] }>('GET /v1/services');
      const read = await manager('GET /v1/services/zz');
      list.mockRestore();
      expect(json.services.at(-1)).toEqual({ serviceId: 'zz', unreadable });
      expect(json.services).toContainEqual(expect.objectContaining({ serviceId, permissions: PERMISSIONS }));
      expect([read.status, read.json]).toMatchObject([status, { code }]);
    },
  );

  test('answers 404 for a service that is not registered', async () => {
    const refused = { status: 404, code: 'ERR_SERVICE_NOT_FOUND' };
    for (const id of ['unknown', '..', '__proto__', 'constructor', 'x'.repeat(129)]) {
      expect(await refusalOf(service, () => manager(`GET /v1/services/${id}`))).toEqual(refused);
    }
    expect(await refusalOf(service, () => manager('POST /v1/services/unknown/secrets'))).toEqual(refused);
    expect((await manager('DELETE /v1/services/unknown')).json).toEqual({ revoked: false });
    expect((await manager('DELETE /v1/services/unknown/secrets/key')).json).toEqual({ ended: false });
  });

  test.each<[string, object, object]>([
    ['an id that is a path', { serviceId: '../admin' }, { field: 'serviceId' }],
    ['an empty id', { serviceId: '' }, { field: 'serviceId' }],
    ['a long id', { serviceId: 'x'.repeat(129) }, { field: 'serviceId' }],
    ['a colon in the id', { serviceId: 'a:b' }, { field: 'serviceId' }],
    ['a prototype name as id', { serviceId: '__proto__' }, { field: 'serviceId' }],
    ['a blank name', { serviceName: ' ' }, { field: 'serviceName', limit: 128 }],
    ['a long name', { serviceName: 'x'.repeat(129) }, { field: 'serviceName', limit: 128 }],
    [
      'a pattern for a permission',
      { permissions: ['session.list', 'session.(read|write)'] },
      { field: 'permissions[1]' },
    ],
    ['an empty permission', { permissions: [''] }, { field: 'permissions[0]', limit: 256 }],
    ['a permission of the library that does not exist', { permissions: ['session.raed'] }, { field: 'permissions[0]' }],
    ['a permission in another case', { permissions: ['session.read', 'Service.read'] }, { field: 'permissions[1]' }],
    ['a permission below another', { permissions: ['session.read.*'] }, { field: 'permissions[0]' }],
    ['too many permissions', { permissions: Array(101).fill('a') }, { field: 'permissions', limit: 100 }],
  ])('rejects the registration of a service with %s', async (_, body, fields) => {
    const registration = { serviceId, serviceName: 'Orders', permissions: [], ...body };
    const refusal = await refusalOf(service, () => manager('POST /v1/services', registration));
    expect(refusal).toEqual({ status: 400, code: 'ERR_SERVICE_INPUT', ...fields });
  });

  test('rejects an id that looks like a registered one, and the id of the session service', async () => {
    await register({ serviceId: `pay.${serviceId}` });
    for (const id of [`Pay.${serviceId}`, `pay${serviceId}`, `PAY_${serviceId}.`]) {
      for (const replace of [false, true]) {
        const registration = { serviceId: id, serviceName: 'Pay', permissions: [], replace };
        const refused = { status: 409, code: 'ERR_SERVICE_CONFLICT' };
        expect(await refusalOf(service, () => manager('POST /v1/services', registration))).toEqual(refused);
      }
    }
    for (const id of ['session-service', 'Session.Service', 'sessionservice']) {
      const registration = { serviceId: id, serviceName: 'Forged', permissions: [], replace: true };
      const refused = { status: 400, code: 'ERR_SERVICE_INPUT', field: 'serviceId' };
      expect(await refusalOf(service, () => manager('POST /v1/services', registration))).toEqual(refused);
    }
  });

  test('lets a caller grant only permissions that it has, and add no secret to a service with more', async () => {
    const registrar = clientOf(service, await service.register(serviceId, 'service.manage', 'session.read:cart.*'));
    for (const permission of ['*', 'session.read', 'session.read:cart', 'service.read', 'order.refund']) {
      const body = {
        serviceId: 'powerful',
        serviceName: 'Powerful',
        permissions: ['session.read:cart.total', permission],
      };
      const refused = { status: 403, code: 'ERR_SERVICE_PERMISSION', permission };
      expect(await refusalOf(service, () => registrar('POST /v1/services', body))).toEqual(refused);
    }
    const refused = { status: 403, code: 'ERR_SERVICE_PERMISSION', permission: '*' };
    expect(await refusalOf(service, () => registrar('POST /v1/services/admin/secrets', {}))).toEqual(refused);
    const within = { serviceId: 'within', serviceName: 'Within', permissions: ['session.read:cart.total'] };
    expect((await registrar('POST /v1/services', within)).status).toBe(201);
  });

  test('registers a service without permissions, which may do nothing', async () => {
    const { secret } = await register({ permissions: [] });
    const powerless = clientOf(service, basic(serviceId, secret));
    expect(refusalIn(await powerless('GET /v1/counts'))).toMatchObject({ status: 403, permission: 'session.list' });
    const mistaken = clientOf(service, basic(serviceId, `${secret}x`));
    const unauthenticated = { status: 401, code: 'ERR_SERVICE_AUTHENTICATION' };
    expect(refusalIn(await mistaken('GET /v1/counts'))).toEqual(unauthenticated);
  });
});
