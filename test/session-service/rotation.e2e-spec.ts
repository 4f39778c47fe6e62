import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { ContendedStorage } from '../support/contended-storage.js';
import { sendConcurrently } from '../support/concurrent-requests.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';

const GRACE_MS = 10_000;
/** Each user is at the limit before the rotation, which does not count as another login. */
const LIMITS = { SESSION_MAX_PER_LOGIN: '1', SESSION_MAX_PER_DEVICE: '1', SESSION_ON_LIMIT: 'reject' };

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let storage: ContendedStorage;
  let service: RunningService;
  let user: ServiceClient;
  let creator: ServiceClient;
  let support: ServiceClient;
  let rotations = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    storage = new ContendedStorage({ clock });
    const variables = { HTTP_ADAPTER, SESSION_ROTATION_GRACE_MS: String(GRACE_MS), ...LIMITS };
    service = await startService({ variables, storage });
    user = clientOf(service, await service.register('user', 'session.*'));
    creator = clientOf(service, await service.register('creator', 'session.create'));
    support = clientOf(service, await service.register('support', 'session.impersonate'));
  });

  afterAll(stopServices);

  const verify = (credential: string) => user<Session>('POST /v1/sessions/verify', { credential });

  async function rotated() {
    const attributes = { role: 'customer' };
    const loginId = `rotated-${++rotations}`;
    const old = await service.sessions.createSession(loginId, undefined, { device: 'web', attributes });
    const answer = await user<IssuedSessionView>('POST /v1/sessions/rotate', { credential: old.credential });
    return { old, answer, next: answer.json };
  }

  test('rotates a session to a new id with new secrets, and changes nothing else', async () => {
    const { old, answer, next } = await rotated();
    const { sessionId, token, credential, ...kept } = next;
    expect([answer.status, answer.headers.get('location'), answer.headers.get('etag')]).toEqual([
      201,
      `/v1/sessions/${sessionId}`,
      '"1"',
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect({ ...kept, sessionId: old.sessionId }).toEqual({ ...old });
    expect(sessionId).not.toBe(old.sessionId);
    expect(token).not.toBe(old.token);
    expect(credential).toBe(`${sessionId}.${token}`);
    expect((await user<Session>(`GET /v1/sessions/${sessionId}`)).json).toEqual({ ...kept, sessionId });
  });

  test('accepts the previous credential during the grace period only', async () => {
    const { old, next } = await rotated();
    const { token, credential, ...session } = next;
    const followed = await verify(old.credential);
    expect([followed.status, followed.json]).toEqual([200, session]);
    expect(followed.text).not.toContain(token);
    const endedAt = clock.now();
    clock.advance(GRACE_MS);
    const gone = {
      status: 410,
      code: 'ERR_SESSION_ENDED',
      reason: 'rotated',
      endedAt,
      endedBy: 'user',
      rotatedTo: next.sessionId,
    };
    expect(refusalIn(await verify(old.credential))).toEqual(gone);
    expect((await verify(credential)).status).toBe(200);
  });

  test('accepts the previous session id with its own token only', async () => {
    const { old, next } = await rotated();
    for (const credential of [`${old.sessionId}.${next.token}`, `${next.sessionId}.${old.token}`]) {
      expect(refusalIn(await verify(credential))).toEqual({ status: 404, code: 'ERR_SESSION_NOT_FOUND' });
    }
  });

  test('ends the previous session id, which cannot be rotated again', async () => {
    const { old, next } = await rotated();
    const ending = { reason: 'rotated', endedAt: clock.now(), endedBy: 'user', rotatedTo: next.sessionId };
    const gone = { status: 410, code: 'ERR_SESSION_ENDED', ...ending };
    const path = `/v1/sessions/${old.sessionId}`;
    expect(await refusalOf(service, () => user(`GET ${path}`))).toEqual(gone);
    const { credential } = old;
    expect(await refusalOf(service, () => user('POST /v1/sessions/rotate', { credential }))).toEqual(gone);
    expect(await refusalOf(service, () => user(`POST ${path}/rotate`, { actor: 'support' }))).toEqual(gone);
    const [last] = await service.sessions.getSessionHistory(old.loginId);
    expect(last).toMatchObject({ sessionId: old.sessionId, reason: 'rotated', endedBy: 'user' });
  });

  test('carries out one of twenty concurrent rotations', async () => {
    const { credential } = await service.sessions.createSession('rotated-concurrently');
    const rotate = () => user<IssuedSessionView>('POST /v1/sessions/rotate', { credential });
    const answers = await sendConcurrently(
      { app: service.app, storage },
      ['rotate'],
      Array.from({ length: 20 }, () => rotate),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    for (const answer of answers.filter((other) => other !== made[0])) {
      expect(refusalIn(answer)).toMatchObject({ status: 410, reason: 'rotated' });
    }
    const live = await service.sessions.getSessionsByLoginId('rotated-concurrently');
    expect(live.map((session) => session.sessionId)).toEqual([made[0]!.json.sessionId]);
  });

  test('ends the previous credential at once if a rotation requests it', async () => {
    const { credential } = await service.sessions.createSession('privileged');
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'graceMs', constraint: 'range', limit: GRACE_MS };
    const longer = { credential, graceMs: GRACE_MS + 1 };
    expect(await refusalOf(service, () => user('POST /v1/sessions/rotate', longer))).toEqual(refused);
    expect((await user('POST /v1/sessions/rotate', { credential, graceMs: 0 })).status).toBe(201);
    expect(refusalIn(await verify(credential))).toMatchObject({ status: 410, reason: 'rotated' });
  });

  test('rotates by id only for a caller with session.impersonate, and records the actor', async () => {
    const { sessionId, credential } = await service.sessions.createSession('impersonated');
    const path = `POST /v1/sessions/${sessionId}/rotate`;
    const denied = { status: 403, code: 'ERR_SERVICE_PERMISSION', permission: 'session.impersonate' };
    const body = { actor: 'support@example.com', graceMs: 0 };
    expect(await refusalOf(service, () => creator(path, body))).toEqual(denied);
    expect(await refusalOf(service, () => creator(path, { credential }))).toEqual(denied);
    const unnamed = { status: 400, code: 'ERR_REQUEST_INPUT', field: 'actor' };
    expect(await refusalOf(service, () => support(path, {}))).toEqual(unnamed);
    const { status, json } = await support<IssuedSessionView>(path, body);
    expect([status, json.loginId]).toEqual([201, 'impersonated']);
    const [entry] = await service.sessions.getSessionHistory('impersonated');
    expect(entry).toMatchObject({ endedBy: 'support', actor: 'support@example.com' });
  });

  test('rotates for a caller with session.create only with the right token', async () => {
    const [own, other] = [await service.sessions.createSession('own'), await service.sessions.createSession('other')];
    for (const credential of [`${own.sessionId}.${other.token}`, `${own.sessionId}.x`]) {
      const notFound = { status: 404, code: 'ERR_SESSION_NOT_FOUND' };
      expect(await refusalOf(service, () => creator('POST /v1/sessions/rotate', { credential }))).toEqual(notFound);
    }
    const { status, text } = await creator('POST /v1/sessions/rotate', { credential: own.credential });
    expect(status).toBe(201);
    expect(text).not.toContain(own.token);
  });

  test('reports a conflict when other services keep writing to the session, and does not rotate it', async () => {
    const { sessionId, credential } = await service.sessions.createSession('busy');
    storage.isContended = true;
    const answer = await user('POST /v1/sessions/rotate', { credential });
    storage.isContended = false;
    const { version } = await service.sessions.getSession(sessionId);
    expect(refusalIn(answer)).toEqual({ status: 409, code: 'ERR_SESSION_CONFLICT', currentVersion: version });
    expect((await verify(credential)).json.sessionId).toBe(sessionId);
  });
});
