import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';

/** What may be a login id and an attribute key, and is awkward in a path. */
const NAMES = [
  'a/b',
  '/',
  'a\\b',
  '.',
  '..',
  '%',
  '%2e%2e',
  '%zz',
  'a b',
  'a+b',
  'a?b=c',
  '#',
  'a;b=c',
  ':',
  ':key',
  '"',
  '\u0000',
  '\r\n',
  '\u{1F34A}',
  'é',
  '\u202E',
  'sessions',
  'verify',
  'attributes',
  '__proto__',
  'constructor',
  'null',
  'x'.repeat(128),
  '\u{1F34A}'.repeat(64),
];

describe.each(SERVERS)('names in paths over %s', (HTTP_ADAPTER) => {
  let service: RunningService;
  let user: ServiceClient;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    user = clientOf(service, await service.register('user', 'session.*'));
  });

  afterAll(stopServices);

  const logIn = async (loginId: string) => (await user<IssuedSessionView>('POST /v1/sessions', { loginId })).json;

  test.each(NAMES)('take %j for an attribute key', async (key) => {
    const { sessionId } = await logIn('alice');
    const session = `/v1/sessions/${sessionId}`;
    const path = `${session}/attributes/${encodeURIComponent(key)}`;
    const set = await user<Session>(`PUT ${path}`, { value: 1 });
    expect([set.status, Object.entries(set.json.attributes)]).toEqual([200, [[key, 1]]]);
    expect((await user(`GET ${path}`)).json).toEqual({ key, value: 1, version: 2 });
    const removed = await user<Session>(`DELETE ${path}`);
    expect([removed.status, Object.entries(removed.json.attributes)]).toEqual([200, []]);
    expect((await user(`GET ${path}`)).status).toBe(404);
    expect((await user(`GET ${session}`)).status).toBe(200);
  });

  test.each(NAMES)('take %j for a login id', async (loginId) => {
    const { sessionId } = await logIn(loginId);
    const path = `/v1/logins/${encodeURIComponent(loginId)}`;
    const listed = await user<{ sessions: Session[]; total: number }>(`GET ${path}/sessions`);
    expect([listed.status, listed.json.total, listed.json.sessions[0]!.loginId]).toEqual([200, 1, loginId]);
    const online = await user<{ logins: object[] }>('GET /v1/logins?limit=1000');
    expect(online.json.logins).toContainEqual({ loginId, sessions: 1 });
    const ended = await user(`DELETE ${path}/sessions`);
    expect([ended.status, ended.json]).toEqual([200, { ended: 1 }]);
    const { json } = await user<{ history: object[] }>(`GET ${path}/history`);
    expect(json.history).toEqual([expect.objectContaining({ sessionId, loginId, reason: 'logged-out' })]);
    expect((await user<{ total: number }>(`GET ${path}/sessions`)).json.total).toBe(0);
  });

  test.each([
    ['..', '..'],
    ['%2e%2e', '..'],
    ['.%2E', '..'],
    ['a+b', 'a+b'],
    ['a%2Fb', 'a/b'],
    ['%61', 'a'],
    ['a;b', 'a;b'],
    ["a'(b)!*", "a'(b)!*"],
  ])('take %j for the attribute %j', async (written, key) => {
    const { sessionId } = await logIn('bob');
    const set = await user<Session>(`PUT /v1/sessions/${sessionId}/attributes/${written}`, { value: 1 });
    expect([set.status, set.json.attributes]).toEqual([200, { [key]: 1 }]);
  });

  test('tell logins apart that look alike', async () => {
    const { sessionId } = await logIn('Zoë');
    const others = ['zoë', 'Zoe\u0308', ' Zoë', 'Zoë ', 'Zo%C3%AB'];
    for (const other of others) {
      const path = `/v1/logins/${encodeURIComponent(other)}`;
      expect((await user(`GET ${path}/sessions`)).json).toEqual({ sessions: [], total: 0 });
      expect((await user(`DELETE ${path}/sessions`)).json).toEqual({ ended: 0 });
    }
    expect((await user(`GET /v1/sessions/${sessionId}`)).status).toBe(200);
  });

  test.each([
    ['the attribute `..`, when a client normalises its path', 'DELETE /v1/sessions/:id/'],
    ['the attribute ``', 'DELETE /v1/sessions/:id/attributes/'],
    ['a session, with a slash too many', 'DELETE /v1/sessions/:id//'],
    ['a session, in capitals', 'DELETE /V1/Sessions/:id'],
    ['a login without a name', 'DELETE /v1/logins//sessions'],
    ['all sessions', 'DELETE /v1/sessions'],
  ])('end nothing that was not named: %s', async (_, line) => {
    const { sessionId } = await logIn('carol');
    expect([404, 405]).toContain((await user(line.replace(':id', sessionId))).status);
    expect((await user(`GET /v1/sessions/${sessionId}`)).status).toBe(200);
  });
});
