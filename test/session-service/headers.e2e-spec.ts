import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ComparedServers, sessionIdOf, startComparedServers } from '../support/compared-servers.js';
import { answerTo } from '../support/raw-exchange.js';
import { stopServices } from '../support/running-service.js';

const SESSION = `/v1/sessions/${sessionIdOf(1)}`;
const JSON_POST = 'POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

describe('The session service', () => {
  let servers: ComparedServers;

  beforeAll(async () => {
    servers = await startComparedServers();
  });

  afterAll(stopServices);

  test.each<[name: string, values: string[]]>([
    ['Content-Type', ['application/json', 'application/json']],
    ['Content-Type', ['application/json', 'text/plain']],
    ['Content-Encoding', ['identity', 'identity']],
    ['If-Match', ['"1"', '"1"']],
    ['If-Match', ['"9"', '"1"']],
    ['Idempotency-Key', ['a', 'a']],
    ['Idempotency-Key', ['a', 'b']],
    ['Last-Event-ID', ['a', 'a']],
    ['X-Request-Id', ['a', 'a']],
    ['X-Request-Id', ['a', 'b']],
  ])('rejects a repeated %s header: %j', async (name, values) => {
    const refused = { status: 400, code: 'ERR_REQUEST_HEADER', field: name.toLowerCase() };
    const headers = { 'if-match': '"1"', 'content-type': 'application/json' };
    const others = Object.fromEntries(Object.entries(headers).filter(([given]) => given !== name.toLowerCase()));
    for (const [line, body] of [
      [`PUT ${SESSION}`, { attributes: {} }],
      ['POST /v1/sessions', { loginId: 'bob' }],
    ] as const) {
      expect(await servers.refusalOf(line, body, { ...others, [name]: values })).toEqual(refused);
    }
    expect(await servers.refusalOf('GET /v1/events', undefined, { [name]: values })).toEqual(refused);
  });

  test.each([
    ['Last-Event-ID', 'GET /v1/events', 'not-an-id'],
    ['Last-Event-ID', 'GET /v1/events', '0123456789ab-'],
    ['Idempotency-Key', 'POST /v1/sessions', 'with space'],
  ])('rejects a malformed %s header of %s: %j', async (name, line, value) => {
    const body = line.startsWith('POST') ? { loginId: 'bob' } : undefined;
    const refused = { status: 400, code: 'ERR_REQUEST_HEADER', field: name };
    expect(await servers.refusalOf(line, body, { [name]: value })).toEqual(refused);
  });

  test("returns the client's X-Request-Id in answers and problems, also before a route is found", async () => {
    const id = 'trace:1.2_3-4';
    for (const [line, status] of [
      ['GET /v1/counts', 200],
      ['GET /v1/services/unknown', 404],
      ['GET /unknown', 404],
      ['GET /v1/logins/%zz/history', 400],
    ] as const) {
      const answer = await servers.answerOf(line, undefined, { 'x-request-id': id });
      const { requestId } = answer.json as { requestId?: string };
      expect([answer.status, answer.headers.get('x-request-id')]).toEqual([status, id]);
      expect(requestId).toBe(status === 200 ? undefined : id);
    }
  });

  test('ignores headers for ranges, content negotiation, conditional reads and method overrides', async () => {
    for (const headers of [
      { range: 'bytes=0-1' },
      { accept: 'text/html' },
      { 'accept-encoding': 'gzip' },
      { 'if-none-match': '"1"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': new Date(0).toUTCString() },
      { 'x-http-method-override': 'DELETE' },
    ]) {
      expect(await servers.statusOf(`GET ${SESSION}`, undefined, headers)).toBe(200);
    }
  });

  test.each([
    ['an unknown method', 'FETCH /v1/counts HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a control character in the path', 'GET /v1/\u0001 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a byte above ASCII in the path', 'GET /v1/\u00ff HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['two lengths', `${JSON_POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['a chunk without a length', `${JSON_POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['a TLS greeting', '\u0016\u0003\u0001 hello', 400],
    ['headers without an end', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(40_000)}`, 431],
  ])('answers malformed HTTP with a problem: %s', async (_what, bytes, status) => {
    for (const { url } of servers.services) {
      const [head = '', body = ''] = (await answerTo(url, bytes)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(head).toContain('Content-Type: application/problem+json');
      expect(JSON.parse(body)).toMatchObject({ status, code: 'ERR_REQUEST_HEADER' });
    }
  });

  test('adds no problem to a response that has started', async () => {
    for (const { url, administrator } of servers.services) {
      const { authorization } = administrator;
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`);
      const [first] = (await once(socket, 'data')) as [Buffer];
      let rest = '';
      socket.on('data', (chunk: Buffer) => (rest += chunk.toString('latin1'))).on('error', () => undefined);
      socket.write('not HTTP\r\n\r\n');
      await once(socket, 'close');
      expect(first.toString()).toMatch(/^HTTP\/1.1 200 /);
      expect(rest).not.toContain('ERR_REQUEST_HEADER');
    }
  });
});
