import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { sendConcurrently } from '../support/concurrent-requests.js';
import type { Answer } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';
import { stateOf } from '../support/service-state.js';
import { WatchedStorage } from '../support/watched-storage.js';
import { readable } from '../support/readable-services.js';

const REUSED = { status: 422, code: 'ERR_IDEMPOTENCY_KEY_REUSED', field: 'Idempotency-Key' };

describe.each(SERVERS)('On %s, an Idempotency-Key', (HTTP_ADAPTER) => {
  let storage: WatchedStorage;
  let service: RunningService;
  let one: ServiceClient;
  let another: ServiceClient;
  let sessionId: string;
  let credential: string;
  let key: { 'idempotency-key': string };
  let keys = 0;

  beforeAll(async () => {
    const limits = { SESSION_MAX_PER_LOGIN: '40', SESSION_ON_LIMIT: 'reject' };
    storage = new WatchedStorage();
    service = await startService({ variables: { HTTP_ADAPTER, ...limits }, storage });
    one = clientOf(service, await service.register('one', '*'));
    another = clientOf(service, await service.register('another', '*'));
  });

  beforeEach(async () => {
    key = { 'idempotency-key': `key-${++keys}` };
    ({ sessionId, credential } = await service.sessions.createSession(`login-${keys}`));
    await service.sessions.registerService({ serviceId: `order-${keys}`, serviceName: 'Orders', permissions: [] });
  });

  afterAll(stopServices);

  /** Each operation with idempotency keys, as one request and as another. */
  const OPERATIONS: [string, (client: ServiceClient, isOther?: boolean) => Promise<Answer>][] = [
    [
      'POST /v1/sessions',
      (client, isOther = false) =>
        client('POST /v1/sessions', { loginId: 'alice', ...(isOther && { device: 'web' }) }, key),
    ],
    [
      'POST /v1/sessions/{sessionId}/rotate',
      async (client, isOther = false) => {
        const other = isOther ? await service.sessions.createSession('bob') : { sessionId };
        return client(`POST /v1/sessions/${other.sessionId}/rotate`, { actor: 'ops' }, key);
      },
    ],
    [
      'POST /v1/sessions/rotate',
      (client, isOther = false) =>
        client('POST /v1/sessions/rotate', { credential, ...(isOther && { graceMs: 0 }) }, key),
    ],
    [
      'POST /v1/services',
      (client, isOther = false) => {
        const serviceName = isOther ? 'Other' : 'New';
        return client('POST /v1/services', { serviceId: `new-${keys}`, serviceName, permissions: [] }, key);
      },
    ],
    [
      'POST /v1/services/{serviceId}/secrets',
      (client, isOther = false) =>
        client(`POST /v1/services/order-${keys}/secrets`, { overlapMs: isOther ? 2 : 60_000 }, key),
    ],
  ];

  test.each(OPERATIONS)('repeats the answer of %s with its secrets, and creates nothing', async (_, request) => {
    const first = await request(one);
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
    const before = await stateOf(service);
    for (let repeat = 0; repeat < 2; repeat++) {
      const again = await request(one);
      expect([again.status, again.text]).toEqual([201, first.text]);
      for (const name of ['location', 'etag', 'cache-control', 'content-type']) {
        expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)]);
      }
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    }
    expect(await stateOf(service)).toEqual(before);
  });

  test.each(OPERATIONS)('carries out one of twenty concurrent requests to %s', async (_, request) => {
    const requests = Array.from({ length: 20 }, () => () => request(one));
    const held = ['create', 'rotate', 'put', 'addSecret'];
    const answers = await sendConcurrently({ app: service.app, storage }, held, requests);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(201);
    const replayed = answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true');
    expect(replayed).toHaveLength(19);
  });

  test.each(OPERATIONS)('is rejected for a different request to %s', async (_, request) => {
    await request(one);
    const before = readable(await service.storage.services.list());
    expect(refusalIn(await request(one, true))).toEqual(REUSED);
    expect(readable(await service.storage.services.list()).map(({ version }) => version)).toEqual(
      before.map(({ version }) => version),
    );
  });

  test('is rejected for the same fields with other values or in another order', async () => {
    const body = { loginId: 'alice', attributes: { a: 1, b: 2 } };
    expect((await one('POST /v1/sessions', body, key)).status).toBe(201);
    for (const other of [
      { ...body, attributes: { a: 1, b: 3 } },
      { ...body, attributes: { b: 2, a: 1 } },
      { loginId: 'alice' },
    ]) {
      expect(await refusalOf(service, () => one('POST /v1/sessions', other, key))).toEqual(REUSED);
    }
  });

  test('belongs to one service and one operation', async () => {
    const answers = [
      await one('POST /v1/sessions', { loginId: 'carol' }, key),
      await another('POST /v1/sessions', { loginId: 'carol' }, key),
      await one(`POST /v1/sessions/${sessionId}/rotate`, { actor: 'ops' }, key),
      await one(`POST /v1/services/order-${keys}/secrets`, {}, key),
    ];
    for (const { status, headers } of answers) {
      expect([status, headers.get('idempotency-replayed')]).toEqual([201, null]);
    }
    const [first, second] = answers.map(({ json }) => json as IssuedSessionView);
    expect(first!.sessionId).not.toBe(second!.sessionId);
    expect([first!.serviceId, second!.serviceId]).toEqual(['one', 'another']);
  });

  test('does not remember an error or its request', async () => {
    const bad = await one('POST /v1/sessions', { loginId: '' }, key);
    expect(refusalIn(bad)).toMatchObject({ status: 400, field: 'loginId' });
    const full = `full-${keys}`;
    for (let index = 0; index < 40; index++) await service.sessions.createSession(full);
    for (let attempt = 0; attempt < 2; attempt++) {
      const answer = await one('POST /v1/sessions', { loginId: full }, key);
      expect([refusalIn(answer)['code'], answer.headers.get('idempotency-replayed')]).toEqual([
        'ERR_SESSION_LIMIT',
        null,
      ]);
    }
    await service.sessions.deleteAllSessions(full);
    const made = await one('POST /v1/sessions', { loginId: full }, key);
    expect([made.status, made.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });

  test('shares an error among concurrent requests', async () => {
    const { serviceId } = await service.sessions.registerService({
      serviceId: `taken-${keys}`,
      serviceName: 'Taken',
      permissions: [],
    });
    const body = { serviceId, serviceName: 'Taken', permissions: [] };
    const answers = await Promise.all(Array.from({ length: 5 }, () => one('POST /v1/services', body, key)));
    expect(answers.map((answer) => refusalIn(answer)['code'])).toEqual(answers.map(() => 'ERR_SERVICE_EXISTS'));
  });

  test.each(['', ' ', 'a b', 'a\tb', 'é', 'x'.repeat(256)])('is rejected if malformed: %j', async (malformed) => {
    const headers = { 'idempotency-key': malformed };
    const refused = { status: 400, code: 'ERR_REQUEST_HEADER', field: 'Idempotency-Key' };
    const request = () => one('POST /v1/sessions', { loginId: 'erin' }, headers);
    expect(await refusalOf(service, request)).toEqual(refused);
  });

  test.each(['a', '"quoted"', '{}', '__proto__', 'constructor', '\\', 'x'.repeat(255)])('may be %j', async (valid) => {
    const headers = { 'idempotency-key': valid };
    const first = await one('POST /v1/sessions', { loginId: 'frank' }, headers);
    const again = await one('POST /v1/sessions', { loginId: 'frank' }, headers);
    expect([first.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true']);
  });

  test('has no effect on operations that create nothing', async () => {
    const path = `/v1/sessions/${sessionId}`;
    const first = await one(`PUT ${path}/attributes/a`, { value: 1 }, key);
    const second = await one(`PUT ${path}/attributes/a`, { value: 2 }, key);
    expect([first.headers.get('etag'), second.headers.get('etag')]).toEqual(['"2"', '"3"']);
    expect((await one(`DELETE ${path}`, undefined, key)).json).toEqual({ ended: true });
    expect((await one(`DELETE ${path}`, undefined, key)).json).toEqual({ ended: false });
  });
});
