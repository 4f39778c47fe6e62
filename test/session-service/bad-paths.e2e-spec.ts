import { readFileSync } from 'node:fs';
import { maxHeaderSize } from 'node:http';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BothServers, sessionIdOf, startBothServers } from '../support/both-servers.js';
import { ROOT } from '../support/packed-library.js';
import { stopServices } from '../support/running-service.js';

const { paths } = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as OpenAPIObject;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const SESSION = `/v1/sessions/${sessionIdOf(1)}`;

/** Each path with the methods that it does not have, and what `Allow` says. */
const OTHERS = Object.keys(paths).map((template) => {
  const path = template.replace('{sessionId}', sessionIdOf(1)).replaceAll(/\{\w+\}/g, 'alice');
  const own = Object.entries(paths).flatMap(([other, item]) => {
    // `/v1/services/verify` is also the path of a service of that name.
    const isAlso = new RegExp(`^${other.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
    return isAlso ? Object.keys(item).map((method) => method.toUpperCase()) : [];
  });
  const allowed = own.includes('GET') ? [...own, 'HEAD'] : own;
  return { path, others: METHODS.filter((method) => !own.includes(method)), allow: allowed.toSorted().join(', ') };
});

describe('a path', () => {
  let servers: BothServers;

  beforeAll(async () => {
    servers = await startBothServers();
  });

  afterAll(stopServices);

  test.each(OTHERS)('$path has no methods but $allow', async ({ path, others, allow }) => {
    expect(others.length).toBeGreaterThan(0);
    for (const method of others) {
      const refusal = await servers.refusalOf(`${method} ${path}`);
      expect(refusal).toEqual({ status: 405, code: 'ERR_METHOD_NOT_ALLOWED' });
    }
    expect(await servers.headerOf('allow', `${others[0]} ${path}?x=1`)).toBe(allow);
  });

  test.each(OTHERS)('$path has a HEAD where it has a GET, and answers it without a body', async ({ path, allow }) => {
    const [get, head] = [await servers.statusOf(`GET ${path}`), await servers.statusOf(`HEAD ${path}`)];
    expect(head).toBe(get);
    expect(head === 405).toBe(!allow.includes('HEAD'));
    for (const name of ['content-type', 'cache-control', 'etag', 'allow']) {
      const ofGet = await servers.headerOf(name, `GET ${path}`);
      expect([name, await servers.headerOf(name, `HEAD ${path}`)]).toEqual([name, ofGet]);
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
    '/v1/logins/alice/sessions/web',
    '/v1/services/client/secrets/key/more',
    `${SESSION}/attributes/role/more`,
    `${SESSION}/refresh/again`,
    '/health',
    '/health/live/now',
    '/metrics/all',
    '/favicon.ico',
    '/index.html',
    '/.env',
    '/.git/config',
    '/__proto__',
    '/constructor',
    '/v1/__proto__',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/../../etc/passwd',
    '*',
  ])('%s is none', async (path) => {
    const notFound = { status: 404, code: 'ERR_ROUTE_NOT_FOUND' };
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      expect(await servers.refusalOf(`${method} ${path}`)).toEqual(notFound);
    }
  });

  test.each([
    'x',
    '%20',
    '%00',
    'null',
    'undefined',
    '..',
    '%2e%2e',
    '%2e%2e%2fservices',
    '__proto__',
    '*',
    "'%20OR%20'1'='1",
    '%24ne',
    sessionIdOf(1).toUpperCase().replace('0', 'A'),
    `${sessionIdOf(1)}0`,
    sessionIdOf(1).slice(1),
    `%20${sessionIdOf(1)}`,
    `${sessionIdOf(1)}%0A`,
    `{${sessionIdOf(1)}}`,
    `${sessionIdOf(1)}.token`,
    sessionIdOf(1).replaceAll('-', ''),
    sessionIdOf(1).replace('-', '%2D-'),
  ])('has no session id %s', async (id) => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'sessionId', constraint: 'format', limit: 36 };
    for (const line of [`GET /v1/sessions/${id}`, `DELETE /v1/sessions/${id}`, `POST /v1/sessions/${id}/rotate`]) {
      expect(await servers.refusalOf(line)).toEqual(refused);
    }
  });

  test('takes a session id however its characters are encoded', async () => {
    const encoded = sessionIdOf(1).replace('0', '%30').replace('-', '%2D');
    expect(await servers.statusOf(`GET /v1/sessions/${encoded}`)).toBe(200);
  });

  test.each(['%', '%z', '%zz', '%2', '%E0%A4%A', '%FF', '%C0%AF', '%ED%A0%80', '%u0041', 'a%'])(
    'that holds %s cannot be decoded',
    async (malformed) => {
      const refused = { status: 400, code: 'ERR_REQUEST_PATH' };
      for (const line of [
        `GET /v1/sessions/${malformed}`,
        `PUT ${SESSION}/attributes/${malformed}`,
        `DELETE /v1/logins/${malformed}/sessions`,
        `GET /v1/services/${malformed}?x=1`,
      ]) {
        expect(await servers.refusalOf(line, undefined, { authorization: undefined })).toEqual(refused);
        expect(await servers.refusalOf(line)).toEqual(refused);
      }
    },
  );

  test('may be long, and is refused for what it names', async () => {
    for (const length of [500, 5_000, maxHeaderSize - 1_000]) {
      const name = 'x'.repeat(length);
      const tooLong = { status: 400, code: 'ERR_SESSION_INPUT', field: 'loginId', constraint: 'length', limit: 256 };
      expect(await servers.refusalOf(`GET /v1/logins/${name}/history`)).toEqual(tooLong);
      const refusal = await servers.refusalOf(`DELETE ${SESSION}/attributes/${name}`);
      expect(refusal).toMatchObject({ status: 400, constraint: 'attribute-key-length', limit: 128 });
      expect(await servers.refusalOf(`GET /v1/${name}`)).toEqual({ status: 404, code: 'ERR_ROUTE_NOT_FOUND' });
    }
  });

  test('that is longer than a request may be is refused by the server itself', async () => {
    expect(await servers.statusOf(`GET /v1/logins/${'x'.repeat(maxHeaderSize)}/history`)).toBe(431);
  });
});
