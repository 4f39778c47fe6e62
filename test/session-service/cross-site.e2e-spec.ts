import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ComparedServers, startComparedServers } from '../support/compared-servers.js';
import { ALL_SERVERS, stopServices } from '../support/running-service.js';
import type { SentHeaders } from '../support/service-client.js';

const HOST = 'sessions.test:3000';
const refused = { status: 403, code: 'ERR_REQUEST_CROSS_SITE' };
const wrongType = { status: 415, code: 'ERR_REQUEST_CONTENT_TYPE', field: 'Content-Type' };
const ANONYMOUS = { authorization: undefined };
const LINK = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

/** The content types that a form, `sendBeacon()` and `fetch()` may send to any site without asking it. */
const SIMPLE_TYPES = [
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded;charset=UTF-8',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/plain;charset=UTF-8',
  '',
];

describe('A page of another origin', () => {
  let servers: ComparedServers;

  beforeAll(async () => {
    servers = await startComparedServers({}, ALL_SERVERS);
  });

  afterAll(stopServices);

  const refusalOf = (line: string, body: unknown, headers: SentHeaders) =>
    servers.refusalOf(line, body, { host: HOST, ...headers });
  const statusOf = (line: string, headers: SentHeaders, body?: unknown) =>
    servers.statusOf(line, body, { host: HOST, ...headers });

  test.each(SIMPLE_TYPES)('cannot post a form of the type %j with HTTP Basic, with or without fields', async (type) => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'content-type': type };
    for (const line of ['POST /v1/services/client/secrets', 'POST /v1/sessions']) {
      for (const body of ['', 'loginId=mallory', '{"loginId":"mallory"}']) {
        expect(await refusalOf(line, Buffer.from(body), headers)).toEqual(refused);
        // A browser that supports neither header is stopped by the content type.
        expect(await refusalOf(line, Buffer.from(body), { 'content-type': type })).toEqual(wrongType);
      }
    }
  });

  test.each(['cross-site', 'same-site', 'Same-Origin', 'same-origin, cross-site', 'unknown', ''])(
    'cannot send a request with Sec-Fetch-Site %j',
    async (site) => {
      for (const mode of ['no-cors', 'cors', 'navigate', 'websocket']) {
        const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode };
        for (const line of ['GET /v1/counts', 'GET /v1/events', 'OPTIONS /v1/sessions', 'GET /x']) {
          expect(await refusalOf(line, undefined, headers)).toEqual(refused);
        }
        expect(await statusOf('HEAD /v1/counts', headers)).toBe(403);
        expect(await refusalOf('POST /v1/sessions', { loginId: 'mallory' }, headers)).toEqual(refused);
        expect(await refusalOf('DELETE /v1/logins/alice/sessions', undefined, headers)).toEqual(refused);
      }
    },
  );

  test.each([
    'http://evil.test',
    'http://evil.test:3000',
    'http://sessions.test',
    'http://sessions.test:3001',
    'http://sub.sessions.test:3000',
    'http://sessions.test:3000.evil.test',
    'http://sessions.test:3000@evil.test',
    'null',
    '',
    'sessions.test:3000',
    'file://',
    'chrome-extension://abcdefghijklmnop',
  ])('cannot send a request with the origin %j where the browser sends no Sec-Fetch-Site', async (origin) => {
    for (const others of [{}, { 'sec-fetch-site': 'none' }]) {
      const headers = { origin, ...others };
      expect(await refusalOf('POST /v1/sessions', { loginId: 'mallory' }, headers)).toEqual(refused);
      expect(await refusalOf('GET /v1/events', undefined, headers)).toEqual(refused);
    }
  });

  test('cannot navigate to a route with the credential that the browser stores, nor embed one', async () => {
    expect(await refusalOf('GET /v1/counts', undefined, LINK)).toEqual(refused);
    const anonymous = { ...LINK, ...ANONYMOUS };
    for (const dest of ['iframe', 'embed', 'object', 'image', 'empty', undefined]) {
      expect(await refusalOf('GET /v1/counts', undefined, { ...anonymous, 'sec-fetch-dest': dest })).toEqual(refused);
    }
    expect(await refusalOf('POST /v1/sessions', undefined, anonymous)).toEqual(refused);
  });

  test('may link to an open route', async () => {
    for (const line of ['GET /health/live', 'HEAD /health/live', 'GET /metrics']) {
      expect(await statusOf(line, { ...LINK, ...ANONYMOUS })).toBe(200);
    }
    expect(await statusOf('GET /v1/counts', { ...LINK, ...ANONYMOUS })).toBe(401);
  });

  test.each<[who: string, headers: SentHeaders]>([
    ['a client that is not a browser', {}],
    [
      "this service's own page",
      { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', origin: `http://${HOST}` },
    ],
    [
      'this page behind a proxy that changes Host',
      { 'sec-fetch-site': 'same-origin', origin: 'https://sessions.test' },
    ],
    ['this page on plain HTTP', { origin: `http://${HOST}` }],
    ['this page behind a proxy for TLS', { origin: `https://${HOST}` }],
    ['this page on the default port', { origin: 'https://sessions.test', host: 'sessions.test:443' }],
    ["the browser's address bar", { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
  ])('is not confused with %s', async (_who, headers) => {
    expect(await statusOf('GET /v1/counts', headers)).toBe(200);
    expect(await statusOf('POST /v1/sessions', headers, { loginId: 'bob' })).toBe(201);
  });
});
