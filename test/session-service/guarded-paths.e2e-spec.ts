import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Problem } from '../../src/http/problem.js';
import { pathTricks } from '../support/path-tricks.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceAnswer, type ServiceClient, clientOf } from '../support/service-client.js';
import { stateOf } from '../support/service-state.js';

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let service: RunningService;
  /** Clients without a credential, without a permission, and with every permission to read. */
  let callers: ServiceClient[];
  let paths: string[];

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    const { sessionId } = await service.sessions.createSession('guarded', undefined, { attributes: { role: 'x' } });
    await service.sessions.registerService({ serviceId: 'order', serviceName: 'Orders', permissions: [] });
    callers = [
      clientOf(service),
      clientOf(service, await service.register('powerless')),
      clientOf(service, await service.register('reader', 'session.list', 'session.read', 'service.read')),
    ];
    paths = [
      '/v1/counts',
      `/v1/sessions/${sessionId}`,
      '/v1/logins/guarded/sessions',
      '/v1/services/order',
      `/v1/sessions/${sessionId}/attributes/role`,
      '/v1/events',
    ];
  });

  afterAll(stopServices);

  const outcomesOf = (line: string) =>
    Promise.all(callers.map(async (caller) => outcomeIn(await caller<Problem | undefined>(line))));

  /** The requests that a caller without the permission can make, after verifying that they changed nothing. */
  async function unguarded(lines: readonly string[]): Promise<object[]> {
    const before = await stateOf(service);
    const found: object[] = [];
    for (const line of lines) {
      const outcomes = await outcomesOf(line);
      if (!isGuarded(outcomes)) found.push({ line, outcomes });
    }
    expect(await stateOf(service)).toEqual(before);
    return found;
  }

  test('guards each path, and serves it to a caller with the permission', async () => {
    for (const path of paths) expect([path, await outcomesOf(`GET ${path}`)]).toEqual([path, ['401', '403', '200']]);
  });

  test.each([0, 1, 2, 3])('guards every spelling of a path (number %d)', async (index) => {
    const path = paths[index]!;
    const methods = path.startsWith('/v1/sessions/') || path.startsWith('/v1/logins/') ? ['GET', 'DELETE'] : ['GET'];
    const spellings = ['/health/live', '/docs', '/metrics'].flatMap((open) => pathTricks(path, open));
    const lines = [...new Set(spellings)].flatMap((spelling) => methods.map((method) => `${method} ${spelling}`));
    expect(await unguarded(lines)).toEqual([]);
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL'])(
    'guards the method %s',
    async (method) => {
      const lines = paths.flatMap((path) => [`${method} ${path}/`, `${method} ${path}?x=1`]);
      expect(await unguarded(lines)).toEqual([]);
    },
  );

  test.each<[string, string]>([
    ['X-HTTP-Method-Override', 'OPTIONS'],
    ['X-HTTP-Method', 'DELETE'],
    ['X-Original-URL', '/health/live'],
    ['X-Rewrite-URL', '/health/live'],
    ['X-Forwarded-Prefix', '/health/live'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Host', 'localhost'],
    ['Origin', 'null'],
    ['Authorization', ''],
    ['Upgrade', 'websocket'],
  ])('guards requests with the header %s: %s', async (name, value) => {
    for (const path of paths) {
      expect((await callers[0]!(`GET ${path}`, undefined, { [name]: value })).status).toBe(
        name === 'Origin' ? 403 : 401,
      );
      expect([401, 403]).toContain((await callers[1]!(`GET ${path}`, undefined, { [name]: value })).status);
    }
  });

  test('ignores headers that name another path on an open route', async () => {
    for (const name of ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Path']) {
      const { status, text } = await callers[0]!('GET /health/live', undefined, { [name]: '/v1/counts' });
      expect([status, text]).toEqual([200, '{"status":"ok"}']);
    }
  });
});

/** Outcomes that are the same for every caller: there is no route, or the request itself is rejected. */
const WITHOUT_ROUTE = ['404', '405', '400 ERR_REQUEST_PATH', '400 ERR_REQUEST_HEADER', '403 ERR_REQUEST_CROSS_SITE'];

function outcomeIn({ status, json }: ServiceAnswer<Problem | undefined>): string {
  return json?.code?.startsWith('ERR_REQUEST_') ? `${status} ${json.code}` : String(status);
}

/** Whether the guards refused callers, or no caller has a route there. */
function isGuarded([anonymous = '', powerless = '', reader = '']: readonly string[]): boolean {
  if (WITHOUT_ROUTE.includes(anonymous)) return powerless === anonymous && reader === anonymous;
  return anonymous === '401' && powerless === '403';
}
