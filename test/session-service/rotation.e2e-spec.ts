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
  let rotations = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    storage = new ContendedStorage({ clock });
    const variables = { HTTP_ADAPTER, SESSION_ROTATION_GRACE_MS: String(GRACE_MS), ...LIMITS };
    service = await startService({ variables, storage });
    user = clientOf(service, await service.register('user', 'session.*'));
  });

  afterAll(stopServices);

  const verify = (credential: string) => user<Session>('POST /v1/sessions/verify', { credential });

  async function rotated() {
    const attributes = { role: 'customer' };
    const loginId = `rotated-${++rotations}`;
    const old = await service.sessions.createSession(loginId, undefined, { device: 'web', attributes });
    const answer = await user<IssuedSessionView>(`POST /v1/sessions/${old.sessionId}/rotate`);
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
    expect(await refusalOf(service, () => user(`POST ${path}/rotate`))).toEqual(gone);
    const [last] = await service.sessions.getSessionHistory(old.loginId);
    expect(last).toMatchObject({ sessionId: old.sessionId, reason: 'rotated', endedBy: 'user' });
  });

  test('carries out one of twenty concurrent rotations', async () => {
    const { sessionId } = await service.sessions.createSession('rotated-concurrently');
    const rotate = () => user<IssuedSessionView>(`POST /v1/sessions/${sessionId}/rotate`);
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

  test('reports a conflict when other services keep writing to the session, and does not rotate it', async () => {
    const { sessionId, credential } = await service.sessions.createSession('busy');
    storage.isContended = true;
    const answer = await user(`POST /v1/sessions/${sessionId}/rotate`);
    storage.isContended = false;
    const { version } = await service.sessions.getSession(sessionId);
    expect(refusalIn(answer)).toEqual({ status: 409, code: 'ERR_SESSION_CONFLICT', currentVersion: version });
    expect((await verify(credential)).json.sessionId).toBe(sessionId);
  });
});
