import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, type SessionHistoryEntry } from 'nestjs-distributed-session';
import { HISTORY_LIMIT } from 'nestjs-distributed-session/storage';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { Problem } from '../../src/http/problem.js';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalOf } from '../support/service-refusal.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let service: RunningService;
  let user: ServiceClient;
  let loginId: string;
  let logins = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    service = await startService({ variables: { HTTP_ADAPTER }, storage: new InMemorySessionStorage({ clock }) });
    user = clientOf(service, await service.register('user', 'session.*'));
  });

  beforeEach(() => {
    loginId = `login-${++logins}`;
  });

  afterAll(stopServices);

  async function logIn(device?: string): Promise<IssuedSessionView> {
    clock.advance(1);
    return (await user<IssuedSessionView>('POST /v1/sessions', { loginId, device })).json;
  }

  async function live(): Promise<readonly string[]> {
    return (await service.sessions.getSessionsByLoginId(loginId)).map(({ sessionId }) => sessionId);
  }

  async function history(): Promise<readonly SessionHistoryEntry[]> {
    return (await user<{ history: SessionHistoryEntry[] }>(`GET /v1/logins/${loginId}/history`)).json.history;
  }

  const endAll = (query = '') => user<{ ended: number }>(`DELETE /v1/logins/${loginId}/sessions${query}`);

  test("lists a user's sessions in the order of creation, without secrets and without touching them", async () => {
    const sessions = [await logIn('web'), await logIn('mobile'), await logIn()];
    const shown = sessions.map(({ token, credential, ...session }) => session);
    const answer = await user(`GET /v1/logins/${loginId}/sessions`);
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('etag')]).toEqual([
      200,
      'no-store',
      null,
    ]);
    expect(answer.json).toEqual({ sessions: shown, total: 3 });
    expect((await user('GET /v1/logins/unknown/sessions')).json).toEqual({ sessions: [], total: 0 });
  });

  test.each([
    ['newer-format', '{"f":99,"content":"CANARY"}', 503, 'ERR_STORAGE_NEWER_FORMAT', '1'],
    ['corrupt', 'CANARY', 500, 'ERR_STORAGE_CORRUPT', null],
  ])(
    'marks a session that is unreadable (%s) in the list, and ends it',
    async (unreadable, content, status, code, after) => {
      const sessions = [await logIn(), await logIn('web'), await logIn()];
      const { sessionId, credential } = sessions[1]!;
      const change = { sessionId, expectedVersion: 1, touch: false, by: 'later' };
      await service.storage.replace({ ...change, payload: Buffer.from(content) });
      const pages: Record<string, unknown>[] = [];
      for (let cursor = ''; pages.length < 3;) {
        const { json } = await user<Record<string, unknown>>(`GET /v1/logins/${loginId}/sessions?limit=1${cursor}`);
        pages.push(json);
        cursor = `&cursor=${String(json['nextCursor'])}`;
      }
      const listed = pages.flatMap((page) => page['sessions'] as { sessionId: string; unreadable?: string }[]);
      expect(listed.map((session) => session.sessionId)).toEqual(sessions.map((session) => session.sessionId));
      expect(pages.map(({ total }) => total)).toEqual([3, 3, 3]);
      const { createdAt, lastAccessedAt, expiresAt } = sessions[1]!;
      expect(listed[1]).toMatchObject({ unreadable, loginId, device: 'web', createdAt, lastAccessedAt, expiresAt });
      expect([listed[0]!.unreadable, JSON.stringify(pages).includes('CANARY')]).toEqual([undefined, false]);
      for (const request of [
        () => user<Problem>(`GET /v1/sessions/${sessionId}`),
        () => user<Problem>('POST /v1/sessions/verify', { credential }),
        () => user<Problem>(`PATCH /v1/sessions/${sessionId}/attributes`, { set: { a: 1 } }),
      ]) {
        const answer = await request();
        expect([answer.status, answer.json.code, answer.headers.get('retry-after')]).toEqual([status, code, after]);
      }
      expect((await user(`DELETE /v1/sessions/${sessionId}?reason=kicked-out`)).json).toEqual({ ended: true });
      expect(await history()).toMatchObject([{ sessionId, reason: 'kicked-out', endedBy: 'user' }]);
      expect((await user(`GET /v1/logins/${loginId}/sessions`)).json).toMatchObject({ total: 2 });
    },
  );

  test('counts sessions and users, and lists online users with their number of sessions', async () => {
    const { json: before } = await user<{ sessions: number; logins: number }>('GET /v1/counts');
    await logIn();
    await logIn();
    const counts = await user('GET /v1/counts');
    expect([counts.status, counts.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(counts.json).toEqual({ sessions: before.sessions + 2, logins: before.logins + 1 });
    const online = await user<{ logins: object[] }>('GET /v1/logins');
    expect([online.status, online.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(online.json.logins).toContainEqual({ loginId, sessions: 2 });
    await endAll();
    expect((await user('GET /v1/counts')).json).toEqual(before);
    expect((await user('GET /v1/logins')).text).not.toContain(`"${loginId}"`);
  });

  test('ends all sessions of a user, and records by which service', async () => {
    const sessions = [await logIn('web'), await logIn('mobile')];
    const ended = await endAll();
    expect([ended.status, ended.json, ended.headers.get('cache-control')]).toEqual([200, { ended: 2 }, 'no-store']);
    expect((await endAll()).json).toEqual({ ended: 0 });
    expect(await live()).toEqual([]);
    const endings = sessions.toReversed().map(({ sessionId, device, createdAt }) => ({
      sessionId,
      loginId,
      serviceId: 'user',
      device,
      createdAt,
      lastAccessedAt: createdAt,
      reason: 'logged-out',
      endedAt: clock.now(),
      endedBy: 'user',
    }));
    expect(await history()).toEqual(expect.arrayContaining(endings));
  });

  test('ends all sessions of a user except one', async () => {
    const [first, second, third] = [await logIn(), await logIn(), await logIn()];
    expect((await endAll(`?except=${second.sessionId}`)).json).toEqual({ ended: 2 });
    expect(await live()).toEqual([second.sessionId]);
    for (const { sessionId } of [first, third]) {
      expect((await user(`GET /v1/sessions/${sessionId}`)).status).toBe(410);
    }
    expect((await endAll(`?except=${UNKNOWN_ID}`)).json).toEqual({ ended: 1 });
  });

  test('ends all sessions of a user except one that has been rotated since', async () => {
    const [stays, goes] = [await logIn(), await logIn()];
    const next = (await user<IssuedSessionView>('POST /v1/sessions/rotate', { credential: stays.credential })).json;
    expect((await endAll(`?except=${stays.sessionId}`)).json).toEqual({ ended: 1 });
    expect(await live()).toEqual([next.sessionId]);
    expect((await user('POST /v1/sessions/verify', { credential: stays.credential })).status).toBe(200);
    expect((await user('POST /v1/sessions/verify', { credential: goes.credential })).status).toBe(410);
  });

  test('ends the sessions of a user on one device', async () => {
    const [web, mobile, none] = [await logIn('web'), await logIn('mobile'), await logIn()];
    expect((await endAll('?device=we')).json).toEqual({ ended: 0 });
    expect((await endAll(`?device=web&except=${web.sessionId}`)).json).toEqual({ ended: 0 });
    expect((await endAll('?device=web')).json).toEqual({ ended: 1 });
    expect(await live()).toEqual([mobile.sessionId, none.sessionId]);
  });

  test('does not end sessions of other users', async () => {
    const other = await service.sessions.createSession('other-user');
    await logIn();
    expect((await endAll(`?except=${other.sessionId}`)).json).toEqual({ ended: 1 });
    expect((await user(`GET /v1/sessions/${other.sessionId}`)).status).toBe(200);
  });

  test('records the reason, the service and the actor of an end', async () => {
    const support = clientOf(service, await service.register('support', 'session.delete'));
    const [kicked, revoked, rotated] = [await logIn(), await logIn(), await logIn()];
    const actor = 'Zoë & co <zoe@example.com>';
    const query = `reason=kicked-out&actor=${encodeURIComponent(actor)}`;
    expect((await support(`DELETE /v1/sessions/${kicked.sessionId}?${query}`)).json).toEqual({ ended: true });
    const gone = {
      status: 410,
      code: 'ERR_SESSION_ENDED',
      reason: 'kicked-out',
      endedAt: clock.now(),
      endedBy: 'support',
    };
    expect(await refusalOf(service, () => user(`GET /v1/sessions/${kicked.sessionId}`))).toEqual(gone);
    clock.advance(1);
    const next = await user<IssuedSessionView>(`POST /v1/sessions/${rotated.sessionId}/rotate`, { actor: 'ops' });
    clock.advance(1);
    expect((await support(`DELETE /v1/logins/${loginId}/sessions?reason=revoked&actor=a+job`)).json).toEqual({
      ended: 2,
    });
    const [third, second, first, ...others] = (await history()).toSorted((a, b) => b.endedAt - a.endedAt);
    expect(first).toEqual(expect.objectContaining({ reason: 'rotated', rotatedTo: next.json.sessionId, actor: 'ops' }));
    expect([second, third].map((entry) => entry!.sessionId).toSorted()).toEqual(
      [revoked.sessionId, next.json.sessionId].toSorted(),
    );
    expect(second).toMatchObject({ reason: 'revoked', endedBy: 'support', actor: 'a job', serviceId: 'user' });
    const why = { reason: 'kicked-out', endedBy: 'support', actor, sessionId: kicked.sessionId };
    expect(others).toEqual([expect.objectContaining(why)]);
  });

  test("lists a user's newest tombstones, the last first, including expired sessions", async () => {
    const sessions: string[] = [];
    for (let index = 0; index <= HISTORY_LIMIT; index++) {
      const { sessionId } = await service.sessions.createSession(loginId);
      clock.advance(1);
      await service.sessions.deleteSession(sessionId);
      sessions.push(sessionId);
    }
    const expired = await service.sessions.createSession(loginId, undefined, { idleTimeoutMs: 1 });
    clock.advance(1);
    const entries = await history();
    expect(entries.map(({ sessionId }) => sessionId)).toEqual([
      expired.sessionId,
      ...sessions.toReversed().slice(0, HISTORY_LIMIT - 1),
    ]);
    expect(entries[0]).toMatchObject({ reason: 'idle-timeout', endedBy: '@expiry' });
    expect((await user('GET /v1/logins/unknown/history')).json).toEqual({ history: [] });
  });

  test.each<[query: string, fields: object]>([
    ['?reason=idle-timeout', { code: 'ERR_REQUEST_INPUT', field: 'reason' }],
    ['?reason=', { code: 'ERR_REQUEST_INPUT', field: 'reason' }],
    ['?reason=logged-out&reason=revoked', { code: 'ERR_REQUEST_INPUT', field: 'reason' }],
    ['?actor=', { code: 'ERR_SESSION_INPUT', field: 'actor', constraint: 'empty' }],
    [`?actor=${'a'.repeat(257)}`, { code: 'ERR_SESSION_INPUT', field: 'actor', constraint: 'length', limit: 256 }],
    ['?actor=a&actor=b', { code: 'ERR_REQUEST_INPUT', field: 'actor' }],
  ])('ends neither one nor all sessions with the invalid query %s', async (query, fields) => {
    const { sessionId } = await logIn();
    expect(await refusalOf(service, () => endAll(query))).toEqual({ status: 400, ...fields });
    const one = await refusalOf(service, () => user(`DELETE /v1/sessions/${sessionId}${query}`));
    expect(one).toEqual({ status: 400, ...fields });
  });

  test.each<[query: string, fields: object]>([
    ['?except=', { field: 'except' }],
    ['?except=me', { field: 'except' }],
    [`?except=${UNKNOWN_ID}&except=${UNKNOWN_ID}`, { field: 'except' }],
    ['?device=', { field: 'device', constraint: 'empty' }],
    [`?device=${'d'.repeat(65)}`, { field: 'device', constraint: 'length', limit: 64 }],
    ['?devices=web', { field: 'devices' }],
  ])('ends no sessions with the invalid query %s', async (query, fields) => {
    await logIn('web');
    expect(await refusalOf(service, () => endAll(query))).toMatchObject({ status: 400, ...fields });
  });

  test('rejects a login id of more than 256 characters', async () => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'loginId', constraint: 'length', limit: 256 };
    const path = `/v1/logins/${'x'.repeat(257)}`;
    for (const line of [`GET ${path}/sessions`, `GET ${path}/history`, `DELETE ${path}/sessions`]) {
      expect(await refusalOf(service, () => user(line))).toEqual(refused);
    }
    const create = () => user('POST /v1/sessions', { loginId: 'x'.repeat(257) });
    expect(await refusalOf(service, create)).toEqual(refused);
    expect((await user(`GET /v1/logins/${'x'.repeat(256)}/history`)).status).toBe(200);
  });
});
