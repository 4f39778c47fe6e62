import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, sendRaw } from '../support/http-request.js';
import { ALL_SERVERS, type RunningService, startService, stopServices } from '../support/running-service.js';
import { answerTo } from '../support/raw-exchange.js';

/** As many lines as hid the next ones, because Node drops lines beyond the 2,000th: `Host` and `Connection` precede them. */
const JUNK = Array.from({ length: 1_998 }, (): [string, string] => ['a', '']);
const tooLarge = { status: 431, code: 'ERR_REQUEST_HEADER' };

describe.each(ALL_SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let service: RunningService;
  let authorization: string;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, TRUST_PROXY: '1' } });
    authorization = service.administrator['authorization']!;
  });

  afterAll(stopServices);

  const guess = (address: string): Promise<Answer> =>
    counts(['Authorization', 'Basic YWRtaW46ZHNzXw=='], ...JUNK.slice(0, 200), ['X-Forwarded-For', address]);

  const statusOf = async (target: string): Promise<number> => {
    const lines = `Host: x:80\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`;
    const [statusLine = ''] = (await answerTo(service.url, `GET ${target} HTTP/1.1\r\n${lines}`)).split('\r\n');
    return Number(statusLine.split(' ')[1]);
  };

  const counts = (...headers: [string, string][]): Promise<Answer> => sendRaw(service.url, '/v1/counts', headers);

  test('rejects a request with so many header lines that some could hide others', async () => {
    for (const hidden of [
      ['X-Forwarded-For', '203.0.113.1'],
      ['Authorization', 'Basic YTpi'],
      ['Sec-Fetch-Site', 'cross-site'],
      ['Host', 'other'],
    ] as [string, string][]) {
      const answer = await counts(['Authorization', authorization], ...JUNK, hidden);
      expect(answer.json).toMatchObject(tooLarge);
    }
    expect((await counts(...JUNK, ['Authorization', authorization])).json).toMatchObject(tooLarge);
  });

  test('accepts 256 header lines, and applies the rules to the last one', async () => {
    // sendRaw() sends two lines itself.
    const junk = JUNK.slice(0, 252);
    const credential: [string, string] = ['Authorization', authorization];
    expect((await counts(...junk, ['X-Forwarded-For', '203.0.113.1'], credential)).status).toBe(200);
    expect((await counts(credential, ...junk, ['Authorization', 'Basic YTpi'])).status).toBe(401);
    expect((await counts(credential, ...junk, ['X-Service-Id', 'admin'])).status).toBe(401);
    expect((await counts(credential, ...junk, ['Sec-Fetch-Site', 'cross-site'])).status).toBe(403);
    expect((await counts(...junk, ['A', ''], ['A', ''], credential)).json).toMatchObject(tooLarge);
  });

  test('throttles the address behind the proxy, whatever lines precede its header', async () => {
    for (let failure = 0; failure < 10; failure++) expect((await guess('203.0.113.7')).status).toBe(401);
    expect([(await guess('203.0.113.7')).status, (await guess('203.0.113.8')).status]).toEqual([429, 401]);
  });

  test.each([
    ['none', ''],
    ['two equal ones', 'Host: x\r\nHost: x\r\n'],
    ['two different ones', 'Host: x\r\nHost: y\r\n'],
    ['two in different cases', 'host: x\r\nHOST: x\r\n'],
    ['an empty one', 'Host:\r\n'],
    ['a blank one', 'Host:  \t\r\n'],
    ['user information', 'Host: user@x\r\n'],
    ['user information with a password', 'Host: user:password@x\r\n'],
    ['a path', 'Host: x/y\r\n'],
    ['a URL', 'Host: http://x\r\n'],
    ['a query', 'Host: x?y\r\n'],
    ['a fragment', 'Host: x#y\r\n'],
    ['a backslash', 'Host: x\\y\r\n'],
    ['a space', 'Host: x y\r\n'],
    ['a list', 'Host: x, y\r\n'],
    ['a port that is not a number', 'Host: x:http\r\n'],
    ['a port out of range', 'Host: x:65536\r\n'],
    ['a negative port', 'Host: x:-1\r\n'],
    ['two ports', 'Host: x:1:2\r\n'],
    ['a port alone', 'Host: :80\r\n'],
    ['an IPv6 address without brackets', 'Host: ::1\r\n'],
    ['an invalid IPv6 address', 'Host: [::1::]:80\r\n'],
    ['empty brackets', 'Host: []\r\n'],
    ['percent-encoding', 'Host: x%2e\r\n'],
    ['a byte above ASCII', 'Host: x\u00ff\r\n'],
  ])('rejects a request with an invalid Host header: %s', async (_what, lines) => {
    const request = `GET /v1/counts HTTP/1.1\r\n${lines}Authorization: ${authorization}\r\nConnection: close\r\n\r\n`;
    const [head = '', body = ''] = (await answerTo(service.url, request)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'ERR_REQUEST_HEADER', field: 'host' });
  });

  test.each(['x', 'x:', 'x:0', 'x:65535', '127.0.0.1:3000', '[::1]', '[::1]:3000', 'a_b.test', 'xn--zo-8ma.test'])(
    'accepts the Host %j',
    async (host) => {
      const request = `GET /health/live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(await answerTo(service.url, request)).toMatch(/^HTTP\/1.1 200 /);
    },
  );

  test('accepts a complete URL as the target only with the same Host (RFC 9112 section 3.2.2)', async () => {
    expect(await statusOf('http://x:80/v1/counts')).toBe(200);
    expect(await statusOf('HTTP://X:80/v1/counts')).toBe(200);
    for (const target of ['http://x', 'http://other:80', 'http://user@x:80', 'https://x:81', 'http://x:80@y']) {
      expect([target, await statusOf(`${target}/v1/counts`)]).toEqual([target, 400]);
    }
  });

  test('accepts a request without Host from HTTP/1.0, which has none', async () => {
    expect(await answerTo(service.url, 'GET /health/live HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  test.each([
    ['Content-Length', '2', '2'],
    ['Content-Length', '2', '3'],
    ['Transfer-Encoding', 'chunked', 'chunked'],
    ['Transfer-Encoding', 'identity', 'chunked'],
    ['Origin', 'http://x', 'http://x'],
    ['Sec-Fetch-Site', 'same-origin', 'cross-site'],
    ['Sec-Fetch-Mode', 'navigate', 'no-cors'],
  ])('rejects a repeated %s header: %s and %s', async (name, first, second) => {
    const lines = `${name}: ${first}\r\n${name}: ${second}\r\n`;
    const request = `POST /v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n{}`;
    expect(await answerTo(service.url, request)).toMatch(/^HTTP\/1.1 400 /);
  });
});
