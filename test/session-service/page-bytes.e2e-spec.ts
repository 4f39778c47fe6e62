import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SessionPage } from '../../src/logins/session-page.js';
import { ALL_SERVERS, type RunningService, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';

const MAX_SESSIONS_BYTES = 1_048_576;
/** The names, the total and the cursor. */
const MAX_ENVELOPE_BYTES = 256;

const fill = (value: string) => ({ attributes: { a: value, b: value, c: value, d: value } });

describe.each(ALL_SERVERS)("On %s, a page of a user's sessions", (HTTP_ADAPTER) => {
  let service: RunningService;
  let reader: ServiceClient;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, SESSION_MAX_PER_LOGIN: '1000' } });
    reader = clientOf(service, await service.register('reader', 'session.list', 'session.read'));
  });

  afterAll(stopServices);

  type Session = Parameters<RunningService['sessions']['createSession']>[2];

  async function logIn(loginId: string, count: number, session: Session): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push((await service.sessions.createSession(loginId, undefined, session)).sessionId);
    return ids;
  }

  /** Reads all pages, and returns the bytes and the session ids of each. */
  async function walk(loginId: string, client = reader): Promise<{ bytes: number; ids: string[]; total: number }[]> {
    const pages: { bytes: number; ids: string[]; total: number }[] = [];
    let cursor = '';
    do {
      const path = `/v1/logins/${encodeURIComponent(loginId)}/sessions?limit=1000${cursor}`;
      const { text, json } = await client<SessionPage>(`GET ${path}`);
      const ids = json.sessions.map(({ sessionId }) => sessionId);
      pages.push({ bytes: Buffer.byteLength(text), ids, total: json.total });
      cursor = json.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(json.nextCursor)}`;
    } while (cursor !== '');
    return pages;
  }

  test.each<[string, string, number, Session]>([
    ['large attributes', 'large', 40, fill('x'.repeat(15_000))],
    ['attributes beyond ASCII', 'beyond-ascii', 40, fill('€'.repeat(5_000))],
    ['attributes that JSON escapes', 'escaped', 40, fill('\u0001'.repeat(2_500))],
    ['long login ids and user agents', '€'.repeat(250), 700, { client: { userAgent: '"'.repeat(500) } }],
  ])('has at most 1 MiB of sessions with %s, and all pages list each once', async (_kind, loginId, count, session) => {
    const created = await logIn(loginId, count, session);
    const pages = await walk(loginId);
    expect(pages.flatMap(({ ids }) => ids)).toEqual(created);
    expect(pages.length).toBeGreaterThan(1);
    for (const { bytes, total } of pages) {
      expect(total).toBe(count);
      expect(bytes).toBeLessThanOrEqual(MAX_SESSIONS_BYTES + MAX_ENVELOPE_BYTES);
    }
    for (const { bytes } of pages.slice(0, -1)) expect(bytes).toBeGreaterThan(MAX_SESSIONS_BYTES - 65_536);
  });

  test('counts only the attributes that the caller may read', async () => {
    const lister = clientOf(service, await service.register('lister', 'session.list'));
    const created = await logIn('hidden', 40, fill('x'.repeat(15_000)));
    expect((await walk('hidden', lister)).map(({ ids }) => ids)).toEqual([created]);
  });
});
