import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Problem } from '../../src/http/problem.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceAnswer, type ServiceClient, clientOf } from '../support/service-client.js';
import { stateOf } from '../support/service-state.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL'];

/** The ways to write a path so that a router may find what a check of the path does not. */
function variantsOf(path: string): string[] {
  const [, first, ...rest] = path.split('/') as [string, string, ...string[]];
  const last = rest.at(-1)!;
  const before = path.slice(0, -last.length - 1);
  const tail = rest.join('/');
  return [
    path,
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `//${path}`,
    `/${first}//${tail}`,
    `${before}//${last}`,
    `${before}%2f${last}`,
    `${before}%2F${last}`,
    `${before}%252f${last}`,
    `${before}\\${last}`,
    `${before}%5c${last}`,
    `/./${first}/${tail}`,
    `${before}/./${last}`,
    `${before}/x/../${last}`,
    `${before}/%2e/${last}`,
    `${before}/x/%2e%2e/${last}`,
    `/health/live/../..${path}`,
    `/health/live/%2e%2e/%2e%2e${path}`,
    `/health/live/..%2f..${path}`,
    `/docs/..${path}`,
    `/metrics/..;${path}`,
    `${path};x`,
    `${path};jsessionid=1`,
    `/${first};x/${tail}`,
    `${path},x`,
    path.toUpperCase(),
    `/${first.toUpperCase()}/${tail}`,
    `${before}/${last[0]!.toUpperCase()}${last.slice(1)}`,
    `${before}/%${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
    `/%76${first.slice(1)}/${tail}`,
    `${path}%00`,
    `${path}%20`,
    `${path}%09`,
    `${path}%0d%0a`,
    `${path}.json`,
    `${path}.`,
    `${path}*`,
    `${path}?`,
    `${path}??`,
    `${path}?x=/health/live`,
    `${path}#/health/live`,
    `${path}%3f`,
    `${path}%23`,
    `http://localhost${path}`,
    `http://localhost/health/live/../..${path}`,
    `/%E0%A4%A${path}`,
  ];
}

describe.each(SERVERS)('the guards over %s', (HTTP_ADAPTER) => {
  let service: RunningService;
  let callers: ServiceClient[];
  let sessionId: string;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    ({ sessionId } = await service.sessions.createSession('alice', undefined, { attributes: { role: 'customer' } }));
    await service.sessions.registerService({ serviceId: 'order', serviceName: 'Orders', permissions: [] });
    callers = [
      clientOf(service),
      clientOf(service, await service.register('powerless')),
      clientOf(service, await service.register('reader', 'session.list', 'session.read', 'service.read')),
    ];
  });

  afterAll(stopServices);

  /** What who has no credential, who has no permission, and who may read everything get. */
  const outcomesOf = (line: string) =>
    Promise.all(callers.map(async (caller) => outcomeIn(await caller<Problem | undefined>(line))));

  const paths = (): string[] => [
    '/v1/counts',
    `/v1/sessions/${sessionId}`,
    '/v1/logins/alice/sessions',
    '/v1/services/order',
    `/v1/sessions/${sessionId}/attributes/role`,
    '/v1/events',
  ];

  test('let the right caller through, so that what follows shows something', async () => {
    for (const path of paths()) expect([path, await outcomesOf(`GET ${path}`)]).toEqual([path, ['401', '403', '200']]);
  });

  test.each([0, 1, 2, 3])('are not skipped by another way to write path %d', async (index) => {
    const path = paths()[index]!;
    const methods = path.startsWith('/v1/sessions/') || path.startsWith('/v1/logins/') ? ['GET', 'DELETE'] : ['GET'];
    const before = await stateOf(service);
    for (const variant of variantsOf(path)) {
      for (const method of methods) {
        const line = `${method} ${variant}`;
        const outcomes = await outcomesOf(line);
        expect([line, outcomes, isSafe(outcomes)]).toEqual([line, outcomes, true]);
      }
    }
    expect(await stateOf(service)).toEqual(before);
  });

  test.each(METHODS)('are not skipped by the method %s', async (method) => {
    const before = await stateOf(service);
    for (const path of paths()) {
      for (const line of [`${method} ${path}/`, `${method} ${path}?x=1`]) {
        const outcomes = await outcomesOf(line);
        expect([line, outcomes, isSafe(outcomes)]).toEqual([line, outcomes, true]);
      }
    }
    expect(await stateOf(service)).toEqual(before);
  });

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
  ])('are not skipped with the header %s: %s', async (name, value) => {
    for (const path of paths()) {
      expect((await callers[0]!(`GET ${path}`, undefined, { [name]: value })).status).toBe(401);
      expect([401, 403]).toContain((await callers[1]!(`GET ${path}`, undefined, { [name]: value })).status);
    }
  });

  test.each(['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Path'])(
    'are not skipped by an open route with the header %s',
    async (name) => {
      const { status, text } = await callers[0]!('GET /health/live', undefined, { [name]: '/v1/counts' });
      expect([status, text]).toEqual([200, '{"status":"ok"}']);
    },
  );
});

/** What is refused before anybody asks who calls: what has no route. */
const WITHOUT_ROUTE = ['404', '405', '400 ERR_REQUEST_PATH'];

function outcomeIn({ status, json }: ServiceAnswer<Problem | undefined>): string {
  return status === 400 ? `400 ${json?.code}` : String(status);
}

/** Guarded, or without a route for who may read as well. */
function isSafe([nobody = '', powerless = '', reader = '']: readonly string[]): boolean {
  if (WITHOUT_ROUTE.includes(nobody)) return powerless === nobody && reader === nobody;
  return nobody === '401' && powerless === '403';
}
