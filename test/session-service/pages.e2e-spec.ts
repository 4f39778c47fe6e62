import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, type LoginPage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { SessionPage } from '../../src/logins/session-page.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let service: RunningService;
  let reader: ServiceClient;
  let loginId: string;
  let logins = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    service = await startService({ variables: { HTTP_ADAPTER }, storage: new InMemorySessionStorage({ clock }) });
    reader = clientOf(service, await service.register('reader', 'session.list'));
  });

  beforeEach(() => {
    loginId = `login-${++logins}`;
  });

  afterAll(stopServices);

  /** Logs in after each of these waits, and returns the session ids. */
  async function logIn(...waits: number[]): Promise<string[]> {
    const ids: string[] = [];
    for (const wait of waits) {
      clock.advance(wait);
      ids.push((await service.sessions.createSession(loginId)).sessionId);
    }
    return ids;
  }

  async function page(limit: number, cursor?: string): Promise<SessionPage> {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    return (await reader<SessionPage>(`GET /v1/logins/${loginId}/sessions?limit=${limit}${query}`)).json;
  }

  /** The session ids on all pages, with an action between one page and the next. */
  async function walk(limit: number, between?: () => Promise<unknown>): Promise<string[]> {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { sessions, nextCursor }: SessionPage = await page(limit, cursor);
      seen.push(...sessions.map(({ sessionId }) => sessionId));
      cursor = nextCursor;
      await between?.();
    } while (cursor !== undefined);
    return seen;
  }

  test.each([1, 2, 3, 5, 6, 1_000])(
    "returns each of a user's sessions once and in order, on pages of %d",
    async (limit) => {
      const ids = await logIn(1, 0, 0, 1, 1, 0);
      expect(await walk(limit)).toEqual(ids);
      const { sessions, total, nextCursor } = await page(limit);
      expect([sessions.length, total, nextCursor !== undefined]).toEqual([Math.min(limit, 6), 6, limit < 6]);
    },
  );

  test('returns a hundred sessions without a limit', async () => {
    for (let index = 0; index < 100; index++) await service.sessions.createSession(loginId);
    const all = await reader<SessionPage>(`GET /v1/logins/${loginId}/sessions`);
    expect([all.json.sessions.length, all.json.nextCursor]).toEqual([100, undefined]);
  });

  test('continues after a session that has ended since', async () => {
    const ids = await logIn(1, 1, 1, 1);
    const { nextCursor } = await page(2);
    await service.sessions.deleteSession(ids[1]!);
    const { sessions, total } = await page(2, nextCursor);
    expect([sessions.map(({ sessionId }) => sessionId), total]).toEqual([ids.slice(2), 3]);
  });

  test('continues after a session that has been rotated or ended since, and repeats sessions of its millisecond', async () => {
    const [first, second, third, fourth] = await logIn(1, 0, 0, 1);
    const { nextCursor } = await page(2);
    const rotated = await service.sessions.rotateSession(second!);
    const afterRotation = await page(9, nextCursor);
    expect(afterRotation.sessions.map(({ sessionId }) => sessionId)).toEqual([first, rotated.sessionId, third, fourth]);
    await service.sessions.deleteSession(rotated.sessionId);
    const afterEnd = await page(9, nextCursor);
    expect(afterEnd.sessions.map(({ sessionId }) => sessionId)).toEqual([first, third, fourth]);
  });

  test('misses no live session while others are created, rotated and ended', async () => {
    const ids = await logIn(1, 1, 0, 0, 1, 0, 1, 1, 1);
    const changes = [
      () => service.sessions.deleteSession(ids[0]!),
      () => service.sessions.rotateSession(ids[2]!),
      () => service.sessions.createSession(loginId),
      () => service.sessions.deleteSession(ids[5]!),
    ];
    const seen = await walk(2, async () => changes.shift()?.());
    const stayed = ids.filter((_, index) => ![0, 2, 5].includes(index));
    expect(seen).toEqual(expect.arrayContaining(stayed));
    expect(stayed.map((id) => seen.lastIndexOf(id))).toEqual(
      stayed.map((id) => seen.lastIndexOf(id)).toSorted((a, b) => a - b),
    );
  });

  test('returns an empty last page when all sessions have ended', async () => {
    const ids = await logIn(1, 1, 1);
    const { nextCursor } = await page(1);
    for (const id of ids) await service.sessions.deleteSession(id);
    expect(await page(1, nextCursor)).toEqual({ sessions: [], total: 0 });
  });

  test("returns no sessions of another user for that user's cursor", async () => {
    await logIn(1, 1, 1);
    const { nextCursor: foreign } = await page(1);
    loginId = 'other-user';
    const [only] = await logIn(1);
    expect((await page(9, foreign)).sessions.map(({ sessionId }) => sessionId)).toEqual([only]);
  });

  test('returns each online user once', async () => {
    const before = new Set((await service.sessions.listLogins({ limit: 1_000 })).logins.map((login) => login.loginId));
    const names = Array.from({ length: 5 }, (_, index) => `online-${index}`);
    for (const name of names) await service.sessions.createSession(name);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { json } = await reader<LoginPage>(`GET /v1/logins?limit=2${cursor}`);
      seen.push(...json.logins.map((login) => login.loginId));
      cursor = json.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(json.nextCursor)}`;
    } while (cursor !== '');
    expect(seen.toSorted()).toEqual([...before, ...names].toSorted());
  });
});
