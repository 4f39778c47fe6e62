import { maxHeaderSize } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { type ComparedServers, lineOf, sessionIdOf, startComparedServers } from '../support/compared-servers.js';
import { committedDocument, operationsAt, operationsIn } from '../support/openapi-operations.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const SESSION = `/v1/sessions/${sessionIdOf(1)}`;
const OPERATIONS = operationsIn(committedDocument());
const PATHS = [...new Set(OPERATIONS.map((operation) => lineOf(operation).split(' ')[1]!))];

/** Each documented path with the methods that it does not support, and its `Allow` header. */
const UNSUPPORTED = PATHS.map((path) => {
  // `/v1/services/verify` is also the path of a service with that name.
  const own = operationsAt(OPERATIONS, path).map(({ method }) => method);
  const allowed = own.includes('GET') ? [...own, 'HEAD'] : own;
  return { path, others: METHODS.filter((method) => !own.includes(method)), allow: allowed.toSorted().join(', ') };
});

describe('The session service', () => {
  let servers: ComparedServers;

  beforeAll(async () => {
    servers = await startComparedServers();
  });

  afterAll(stopServices);

  test.each(UNSUPPORTED)('supports only the methods $allow at $path', async ({ path, others, allow }) => {
    expect(others.length).toBeGreaterThan(0);
    for (const method of others) {
      const refusal = await servers.refusalOf(`${method} ${path}`);
      expect(refusal).toEqual({ status: 405, code: 'ERR_METHOD_NOT_ALLOWED' });
    }
    expect(await servers.headerOf('allow', `${others[0]} ${path}?x=1`)).toBe(allow);
  });

  test.each(UNSUPPORTED)('answers HEAD $path like GET, without a body', async ({ path, allow }) => {
    const head = await servers.answerOf(`HEAD ${path}`);
    expect([head.status, head.text]).toEqual([await servers.statusOf(`GET ${path}`), '']);
    expect(head.status === 405).toBe(!allow.includes('HEAD'));
    for (const name of ['content-type', 'cache-control', 'etag', 'allow']) {
      expect([name, head.headers.get(name)]).toEqual([name, await servers.headerOf(name, `GET ${path}`)]);
    }
  });

  test.each([
    '/',
    '/v1',
    '/v1/',
    '/v2/counts',
    '/v1/session',
    '/v1/counts/all',
    '/v1/logins/alice',
    '/v1/services/client/secrets/key/more',
    `${SESSION}/attributes/role/more`,
    `${SESSION}/refresh/again`,
    '/health',
    '/metrics/all',
    '/favicon.ico',
    '/.env',
    '/__proto__',
    '/v1/constructor',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/../../etc/passwd',
    '*',
  ])('has no route %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      expect(await servers.refusalOf(`${method} ${path}`)).toEqual({ status: 404, code: 'ERR_ROUTE_NOT_FOUND' });
    }
  });

  test.each([
    'x',
    '%20',
    '%00',
    '..',
    '%2e%2e%2fservices',
    '__proto__',
    '*',
    "'%20OR%20'1'='1",
    sessionIdOf(1).toUpperCase().replace('0', 'A'),
    `${sessionIdOf(1)}0`,
    sessionIdOf(1).slice(1),
    `%20${sessionIdOf(1)}`,
    `${sessionIdOf(1)}%0A`,
    `{${sessionIdOf(1)}}`,
    `${sessionIdOf(1)}.token`,
    sessionIdOf(1).replaceAll('-', ''),
    sessionIdOf(1).replace('-', '%2D-'),
  ])('rejects the session id %s', async (id) => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'sessionId', constraint: 'format', limit: 36 };
    for (const line of [`GET /v1/sessions/${id}`, `DELETE /v1/sessions/${id}`, `POST /v1/sessions/${id}/rotate`]) {
      expect(await servers.refusalOf(line, line.startsWith('POST') ? { actor: 'ops' } : undefined)).toEqual(refused);
    }
  });

  test('accepts a percent-encoded session id', async () => {
    const encoded = sessionIdOf(1).replace('0', '%30').replace('-', '%2D');
    expect(await servers.statusOf(`GET /v1/sessions/${encoded}`)).toBe(200);
  });

  test.each(['%', '%z', '%zz', '%2', '%E0%A4%A', '%FF', '%C0%AF', '%ED%A0%80', '%u0041', 'a%'])(
    'rejects a path with the malformed percent-encoding %s',
    async (malformed) => {
      for (const line of [
        `GET /v1/sessions/${malformed}`,
        `PUT ${SESSION}/attributes/${malformed}`,
        `DELETE /v1/logins/${malformed}/sessions`,
        `GET /v1/services/${malformed}?x=1`,
      ]) {
        for (const headers of [{ authorization: undefined }, {}]) {
          const refusal = await servers.refusalOf(line, undefined, headers);
          expect(refusal).toEqual({ status: 400, code: 'ERR_REQUEST_PATH' });
        }
      }
    },
  );

  test('reports what a long path exceeds, up to the size of all headers', async () => {
    for (const length of [500, 5_000, maxHeaderSize - 1_000]) {
      const name = 'x'.repeat(length);
      const tooLong = { status: 400, code: 'ERR_SESSION_INPUT', field: 'loginId', constraint: 'length', limit: 256 };
      expect(await servers.refusalOf(`GET /v1/logins/${name}/history`)).toEqual(tooLong);
      const refusal = await servers.refusalOf(`DELETE ${SESSION}/attributes/${name}`);
      expect(refusal).toMatchObject({ status: 400, constraint: 'attribute-key-length', limit: 128 });
      expect(await servers.refusalOf(`GET /v1/${name}`)).toEqual({ status: 404, code: 'ERR_ROUTE_NOT_FOUND' });
    }
    expect(await servers.statusOf(`GET /v1/logins/${'x'.repeat(maxHeaderSize)}/history`)).toBe(431);
  });
});

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let service: RunningService;
  let user: ServiceClient;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    user = clientOf(service, await service.register('user', 'session.*'));
  });

  afterAll(stopServices);

  const logIn = async (loginId: string) => (await user<IssuedSessionView>('POST /v1/sessions', { loginId })).json;

  test.each([
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
    ':key',
    '"',
    '\u0000',
    '\r\n',
    'é',
    '\u202E',
    'sessions',
    'verify',
    'attributes',
    '__proto__',
    'null',
    'x'.repeat(128),
    '\u{1F34A}'.repeat(64),
  ])('accepts %j as an attribute key and as a login id', async (name) => {
    const { sessionId } = await logIn(name);
    const attribute = `/v1/sessions/${sessionId}/attributes/${encodeURIComponent(name)}`;
    const set = await user<Session>(`PUT ${attribute}`, { value: 1 });
    expect([set.status, Object.entries(set.json.attributes)]).toEqual([200, [[name, 1]]]);
    expect((await user(`GET ${attribute}`)).json).toEqual({ key: name, value: 1, version: 2 });
    const removed = await user<Session>(`DELETE ${attribute}`);
    expect([removed.status, Object.entries(removed.json.attributes)]).toEqual([200, []]);
    expect((await user(`GET ${attribute}`)).status).toBe(404);

    const login = `/v1/logins/${encodeURIComponent(name)}`;
    const listed = await user<{ sessions: Session[]; total: number }>(`GET ${login}/sessions`);
    expect([listed.status, listed.json.total, listed.json.sessions[0]!.loginId]).toEqual([200, 1, name]);
    const online = await user<{ logins: object[] }>('GET /v1/logins?limit=1000');
    expect(online.json.logins).toContainEqual({ loginId: name, sessions: 1 });
    const ended = await user(`DELETE ${login}/sessions`);
    expect([ended.status, ended.json]).toEqual([200, { ended: 1 }]);
    const { json } = await user<{ history: object[] }>(`GET ${login}/history`);
    expect(json.history).toEqual([expect.objectContaining({ sessionId, loginId: name, reason: 'logged-out' })]);
    expect((await user<{ total: number }>(`GET ${login}/sessions`)).json.total).toBe(0);
  });

  test.each([
    ['..', '..'],
    ['.%2E', '..'],
    ['a+b', 'a+b'],
    ['a%2Fb', 'a/b'],
    ['%61', 'a'],
    ['a;b', 'a;b'],
    ["a'(b)!*", "a'(b)!*"],
  ])('decodes the path segment %j to the attribute key %j', async (written, key) => {
    const { sessionId } = await logIn('bob');
    const set = await user<Session>(`PUT /v1/sessions/${sessionId}/attributes/${written}`, { value: 1 });
    expect([set.status, set.json.attributes]).toEqual([200, { [key]: 1 }]);
  });

  test('distinguishes login ids that look alike', async () => {
    const { sessionId } = await logIn('Zoë');
    for (const other of ['zoë', 'Zoe\u0308', ' Zoë', 'Zoë ', 'Zo%C3%AB']) {
      const path = `/v1/logins/${encodeURIComponent(other)}`;
      expect((await user(`GET ${path}/sessions`)).json).toEqual({ sessions: [], total: 0 });
      expect((await user(`DELETE ${path}/sessions`)).json).toEqual({ ended: 0 });
    }
    expect((await user(`GET /v1/sessions/${sessionId}`)).status).toBe(200);
  });

  test.each([
    ['the attribute `..` when the client normalizes its path', 'DELETE /v1/sessions/:id/'],
    ['the attribute ``', 'DELETE /v1/sessions/:id/attributes/'],
    ['a session with a trailing slash', 'DELETE /v1/sessions/:id//'],
    ['a session in capitals', 'DELETE /V1/Sessions/:id'],
    ['a user without a login id', 'DELETE /v1/logins//sessions'],
    ['all sessions', 'DELETE /v1/sessions'],
  ])('ends no session for a path that means %s', async (_what, line) => {
    const { sessionId } = await logIn('carol');
    expect([400, 404, 405]).toContain((await user(line.replace(':id', sessionId))).status);
    expect((await user(`GET /v1/sessions/${sessionId}`)).status).toBe(200);
  });
});
