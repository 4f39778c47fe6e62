import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { InMemorySessionStorage, type Session } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalOf } from '../support/service-refusal.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MINUTE = 60_000;

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let service: RunningService;
  let user: ServiceClient;

  beforeAll(async () => {
    clock = new FakeClock();
    const limits = {
      SESSION_MAX_PER_LOGIN: '2',
      SESSION_MAX_PER_DEVICE: '1',
      SESSION_ON_LIMIT: 'reject',
      SESSION_MAX_IDLE_TIMEOUT_MS: 'off',
    };
    const storage = new InMemorySessionStorage({ clock });
    service = await startService({ variables: { HTTP_ADAPTER, ...limits }, storage });
    user = clientOf(service, await service.register('user', 'session.*'));
  });

  afterAll(stopServices);

  const verifyRefused = (credential: string) =>
    refusalOf(service, () => user('POST /v1/sessions/verify', { credential }));

  async function logIn(loginId: string, body: object = {}): Promise<IssuedSessionView> {
    const { status, json } = await user<IssuedSessionView>('POST /v1/sessions', { loginId, ...body });
    expect(status).toBe(201);
    return json;
  }

  test('creates a session and returns its Location, its ETag, the calling service and its secrets', async () => {
    const body = {
      loginId: 'alice',
      device: 'web',
      client: { ip: '203.0.113.7', userAgent: 'Firefox' },
      attributes: { role: 'customer', cart: { items: [1, null] } },
      idleTimeoutMs: MINUTE,
      absoluteTimeoutMs: 2 * MINUTE,
    };
    const { status, headers, json } = await user<IssuedSessionView>('POST /v1/sessions', body);
    const now = clock.now();
    const { absoluteTimeoutMs, ...given } = body;
    expect(json).toEqual({
      ...given,
      sessionId: expect.stringMatching(UUID),
      serviceId: 'user',
      version: 1,
      createdAt: now,
      lastAccessedAt: now,
      expiresAt: now + MINUTE,
      absoluteExpiresAt: now + absoluteTimeoutMs,
      token: expect.stringMatching(/^[\w-]{43}$/),
      credential: `${json.sessionId}.${json.token}`,
    });
    expect([status, headers.get('location'), headers.get('etag'), headers.get('cache-control')]).toEqual([
      201,
      `/v1/sessions/${json.sessionId}`,
      '"1"',
      'no-store',
    ]);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await service.sessions.getSession(json.sessionId, { touch: false })).toMatchObject(given);
  });

  test('creates a session with a token that the caller chose and without an idle timeout', async () => {
    const json = await logIn('bob', { token: 'the-own-token-of-bob-1', idleTimeoutMs: null });
    expect(json).toMatchObject({
      token: 'the-own-token-of-bob-1',
      credential: `${json.sessionId}.the-own-token-of-bob-1`,
    });
    expect(json).not.toHaveProperty('idleTimeoutMs');
    expect((await user('POST /v1/sessions/verify', { credential: json.credential })).status).toBe(200);
  });

  test('reads a session by id and by credential, without its secrets', async () => {
    const { token, credential, ...session } = await logIn('carol', { attributes: { role: 'admin' } });
    const path = `/v1/sessions/${session.sessionId}`;
    const answers = [
      await user(`GET ${path}`),
      await user(`GET ${path}?touch=false`),
      await user('POST /v1/sessions/verify', { credential }),
      await user('POST /v1/sessions/verify', { credential, touch: false }),
      await user(`POST ${path}/refresh`),
    ];
    for (const { status, headers, json, text } of answers) {
      expect([status, json]).toEqual([200, session]);
      expect([headers.get('etag'), headers.get('location'), headers.get('cache-control')]).toEqual([
        '"1"',
        null,
        'no-store',
      ]);
      expect(text).not.toContain(token);
    }
    const head = await user(`HEAD ${path}`);
    expect([head.status, head.headers.get('etag'), head.text]).toEqual([200, '"1"', '']);
  });

  test('touches a session after a read unless touch=false, and immediately on a refresh', async () => {
    const { sessionId, credential } = await logIn('dave', { idleTimeoutMs: 10 * MINUTE });
    const lastAccess = async () => (await service.sessions.getSession(sessionId, { touch: false })).lastAccessedAt;
    const createdAt = clock.now();
    clock.advance(5 * MINUTE);
    await user(`GET /v1/sessions/${sessionId}?touch=false`);
    await user(`GET /v1/sessions/${sessionId}/attributes?touch=false`);
    await user('POST /v1/sessions/verify', { credential, touch: false });
    expect(await lastAccess()).toBe(createdAt);
    await user(`GET /v1/sessions/${sessionId}`);
    // The touch is written after the answer.
    await eventually(async () => (await lastAccess()) === clock.now());
    clock.advance(1);
    const refreshed = await user<Session>(`POST /v1/sessions/${sessionId}/refresh`);
    expect(refreshed.json).toMatchObject({ lastAccessedAt: clock.now(), expiresAt: clock.now() + 10 * MINUTE });
  });

  test('ends a session once, and answers 410 with the reason from then on', async () => {
    const { sessionId, credential } = await logIn('erin');
    const path = `/v1/sessions/${sessionId}`;
    const ended = await user(`DELETE ${path}`);
    expect([ended.status, ended.json, ended.headers.get('cache-control')]).toEqual([200, { ended: true }, 'no-store']);
    expect((await user(`DELETE ${path}`)).json).toEqual({ ended: false });
    expect((await user(`DELETE /v1/sessions/${UNKNOWN_ID}`)).json).toEqual({ ended: false });
    const gone = {
      status: 410,
      code: 'ERR_SESSION_ENDED',
      reason: 'logged-out',
      endedAt: clock.now(),
      endedBy: 'user',
    };
    expect(await refusalOf(service, () => user(`GET ${path}`))).toEqual(gone);
    expect(await verifyRefused(credential)).toEqual(gone);
  });

  test('answers 410 for a session whose idle or absolute timeout has passed', async () => {
    const idle = await logIn('frank', { idleTimeoutMs: MINUTE });
    const absolute = await logIn('frank', { absoluteTimeoutMs: MINUTE, idleTimeoutMs: null });
    clock.advance(MINUTE);
    for (const [{ sessionId, credential }, reason] of [
      [idle, 'idle-timeout'],
      [absolute, 'absolute-timeout'],
    ] as const) {
      const gone = { status: 410, code: 'ERR_SESSION_ENDED', reason, endedAt: clock.now(), endedBy: '@expiry' };
      expect(await refusalOf(service, () => user(`POST /v1/sessions/${sessionId}/refresh`))).toEqual(gone);
      expect(await verifyRefused(credential)).toEqual(gone);
    }
  });

  test('rejects a login beyond the limit per device and per user', async () => {
    const refused = { status: 409, code: 'ERR_SESSION_LIMIT' };
    const onTheWeb = { loginId: 'grace', device: 'web' };
    await logIn('grace', onTheWeb);
    const perDevice = await refusalOf(service, () => user('POST /v1/sessions', onTheWeb));
    expect(perDevice).toEqual({ ...refused, limit: 1, device: 'web' });
    await logIn('grace', { device: 'mobile' });
    const perLogin = await refusalOf(service, () => user('POST /v1/sessions', { loginId: 'grace' }));
    expect(perLogin).toEqual({ ...refused, limit: 2 });
  });

  test('answers 404 for a wrong credential and 400 for a malformed one', async () => {
    const { sessionId, token } = await logIn('heidi');
    const notFound = { status: 404, code: 'ERR_SESSION_NOT_FOUND' };
    expect(await verifyRefused(`${sessionId}.${token.slice(1)}x`)).toEqual(notFound);
    expect(await verifyRefused(`${UNKNOWN_ID}.${token}`)).toEqual(notFound);
    const malformed = { status: 400, code: 'ERR_SESSION_INPUT', field: 'credential', constraint: 'format' };
    for (const credential of ['', sessionId, token, `${sessionId}.`, `${sessionId}:${token}`, `${sessionId}.a b`]) {
      expect(await verifyRefused(credential)).toEqual(malformed);
    }
  });

  test.each<[line: string, body: object | undefined]>([
    ['GET /v1/sessions/:id', undefined],
    ['PUT /v1/sessions/:id', { attributes: {} }],
    ['POST /v1/sessions/:id/refresh', undefined],
    ['POST /v1/sessions/:id/rotate', { actor: 'ops' }],
    ['GET /v1/sessions/:id/attributes', undefined],
    ['PATCH /v1/sessions/:id/attributes', { set: { role: 'x' } }],
    ['GET /v1/sessions/:id/attributes/role', undefined],
    ['PUT /v1/sessions/:id/attributes/role', { value: 'x' }],
    ['DELETE /v1/sessions/:id/attributes/role', undefined],
  ])('rejects an ended, an unknown and a malformed session id: %s', async (line, body) => {
    const { sessionId } = await logIn(`ivan ${line}`, { attributes: { role: 'customer' } });
    await service.sessions.kickOut(sessionId);
    const ask = (id: string) => refusalOf(service, () => user(line.replace(':id', id), body, { 'if-match': '"1"' }));
    expect(await ask(sessionId)).toMatchObject({ status: 410, code: 'ERR_SESSION_ENDED', reason: 'kicked-out' });
    expect(await ask(UNKNOWN_ID)).toEqual({ status: 404, code: 'ERR_SESSION_NOT_FOUND' });
    expect(await ask('not-an-id')).toEqual({
      status: 400,
      code: 'ERR_SESSION_INPUT',
      field: 'sessionId',
      constraint: 'format',
      limit: 36,
    });
  });
});
