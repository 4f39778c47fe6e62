import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, type ServiceCredential } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { IssuedServiceView } from '../../src/services/service.dto.js';
import { basic } from '../support/credential-headers.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';

const DAY_MS = 24 * 60 * 60_000;
/** The number of failures after which a source is throttled. */
const ATTEMPTS = 10;

describe.each(SERVERS)('On %s, the session service with a registered service', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let service: RunningService;
  let manager: ServiceClient;
  let serviceId: string;
  let secret: string;
  let keyId: string;
  let services = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    service = await startService({ variables: { HTTP_ADAPTER }, storage: new InMemorySessionStorage({ clock }) });
    manager = clientOf(service, await service.register('manager', 'service.*', 'session.list'));
  });

  beforeEach(async () => {
    serviceId = `order-${++services}`;
    const registration = { serviceId, serviceName: 'Orders', permissions: ['session.list'] };
    ({ secret, keyId } = await service.sessions.registerService(registration));
  });

  afterAll(stopServices);

  const rotate = (body?: object) => manager<IssuedServiceView>(`POST /v1/services/${serviceId}/secrets`, body);
  const verify = (body: object) => manager<ServiceCredential>('POST /v1/services/verify', body);

  /** The status that the service receives with this secret. */
  const statusWithSecret = async (given: string) =>
    (await clientOf(service, basic(serviceId, given))('GET /v1/counts')).status;

  test('rotates a secret with an overlap of a day, during which both are valid', async () => {
    const { status, headers, json } = await rotate();
    expect([status, headers.get('location'), headers.get('cache-control')]).toEqual([
      201,
      `/v1/services/${serviceId}`,
      'no-store',
    ]);
    const now = clock.now();
    expect(json).toEqual({
      serviceId,
      serviceName: 'Orders',
      permissions: ['session.list'],
      version: 2,
      createdAt: now,
      secrets: [
        { keyId, createdAt: now, endsAt: now + DAY_MS },
        { keyId: json.keyId, createdAt: now },
      ],
      keyId: json.keyId,
      secret: expect.stringMatching(/^dss_/),
    });
    expect([await statusWithSecret(secret), await statusWithSecret(json.secret)]).toEqual([200, 200]);
    clock.advance(DAY_MS);
    expect([await statusWithSecret(secret), await statusWithSecret(json.secret)]).toEqual([401, 200]);
  });

  test('rotates a secret with a chosen overlap, or with none', async () => {
    const second = (await rotate({ overlapMs: 1_000 })).json;
    clock.advance(999);
    expect(await statusWithSecret(secret)).toBe(200);
    clock.advance(1);
    expect([await statusWithSecret(secret), await statusWithSecret(second.secret)]).toEqual([401, 200]);
    const third = (await rotate({ overlapMs: 0 })).json;
    expect(third.secrets).toMatchObject([{ keyId: third.keyId }]);
    expect([await statusWithSecret(second.secret), await statusWithSecret(third.secret)]).toEqual([401, 200]);
  });

  test('rejects a third valid secret', async () => {
    const second = (await rotate({})).json;
    expect(await refusalOf(service, () => rotate({}))).toEqual({ status: 409, code: 'ERR_SERVICE_CONFLICT' });
    expect([await statusWithSecret(secret), await statusWithSecret(second.secret)]).toEqual([200, 200]);
    expect((await rotate({ overlapMs: 0 })).status).toBe(201);
    expect([await statusWithSecret(secret), await statusWithSecret(second.secret)]).toEqual([401, 401]);
  });

  test('ends a single secret immediately', async () => {
    const { json: second } = await rotate();
    expect(await statusWithSecret(secret)).toBe(200);
    const path = `/v1/services/${serviceId}/secrets/${keyId}`;
    const ended = await manager(`DELETE ${path}`);
    expect([ended.status, ended.json, ended.headers.get('cache-control')]).toEqual([200, { ended: true }, 'no-store']);
    expect([await statusWithSecret(secret), await statusWithSecret(second.secret)]).toEqual([401, 200]);
    expect((await manager(`DELETE ${path}`)).json).toEqual({ ended: false });
  });

  test.each<[string, unknown, object]>([
    ['a negative overlap', { overlapMs: -1 }, { code: 'ERR_SERVICE_INPUT', field: 'overlapMs' }],
    ['an overlap of more than ten years', { overlapMs: 4e11 }, { code: 'ERR_SERVICE_INPUT', field: 'overlapMs' }],
    ['a fractional overlap', { overlapMs: 0.5 }, { code: 'ERR_REQUEST_INPUT', field: 'overlapMs' }],
    ['a null overlap', { overlapMs: null }, { code: 'ERR_REQUEST_INPUT', field: 'overlapMs' }],
    ['a chosen secret', { secretKey: 'a secret of my own' }, { code: 'ERR_REQUEST_INPUT', field: 'secretKey' }],
  ])('rejects the rotation of a secret with %s', async (_, body, fields) => {
    expect(await refusalOf(service, () => rotate(body as object))).toEqual({ status: 400, ...fields });
  });

  test.each([
    ['DELETE', '/v1/services/a:b'],
    ['DELETE', '/v1/services/a:b/secrets/key'],
    ['POST', '/v1/services/a:b/secrets'],
  ])('rejects an invalid service id: %s %s', async (method, path) => {
    const refused = { status: 400, code: 'ERR_SERVICE_INPUT', field: 'serviceId' };
    expect(await refusalOf(service, () => manager(`${method} ${path}`))).toEqual(refused);
  });

  test("verifies another service's secret, with its id and without", async () => {
    for (const body of [{ serviceId, secret }, { secret }, { serviceId, secret, source: '203.0.113.7' }]) {
      const { status, headers, json, text } = await verify(body);
      expect([status, headers.get('cache-control'), headers.get('location')]).toEqual([200, 'no-store', null]);
      expect(json).toMatchObject({ serviceId, permissions: ['session.list'], version: 1, secrets: [{ keyId }], keyId });
      expect(text).not.toContain('dss_');
    }
  });

  test('gives the same answer to a wrong secret and an unknown service, byte for byte', async () => {
    const wrong = (
      await service.sessions.registerService({ serviceId: `${serviceId}x`, serviceName: 'X', permissions: [] })
    ).secret;
    const bodies = [
      { serviceId, secret: wrong },
      { serviceId: 'unknown', secret: wrong },
      { serviceId: 'not an id', secret: wrong },
      { serviceId, secret: 'never-a-secret' },
      { serviceId: 'unknown', secret: 'never-a-secret' },
      { secret: 'never-a-secret' },
      { secret: `${secret}x` },
      { secret: '' },
    ];
    const texts = new Set<string>();
    for (const body of bodies) {
      const answer = await verify(body);
      // A 401 would mean that the caller is not authenticated.
      expect(refusalIn(answer)).toEqual({ status: 422, code: 'ERR_SERVICE_AUTHENTICATION' });
      expect(answer.headers.get('www-authenticate')).toBeNull();
      texts.add(answer.text.replace(answer.headers.get('x-request-id')!, ''));
    }
    expect(texts.size).toBe(1);
  });

  test('throttles failed verifications per caller and source', async () => {
    const wrong = { serviceId, secret: (await rotate({ overlapMs: 0 })).json.secret.replace(/.$/, '!') };
    const here = { source: '203.0.113.7' };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) expect((await verify({ ...wrong, ...here })).status).toBe(422);
    clock.advance(500);
    const throttled = await verify({ ...wrong, ...here });
    expect(refusalIn(throttled)).toEqual({ status: 429, code: 'ERR_SERVICE_AUTHENTICATION' });
    expect(throttled.headers.get('retry-after')).toBe('60');
    expect((await verify({ ...wrong, source: '203.0.113.8' })).status).toBe(422);
    const other = clientOf(service, await service.register(`other-${serviceId}`, 'service.read'));
    expect((await other('POST /v1/services/verify', { ...wrong, ...here })).status).toBe(422);
    clock.advance(59_500);
    expect((await verify({ ...wrong, ...here })).status).toBe(422);
  });
});
