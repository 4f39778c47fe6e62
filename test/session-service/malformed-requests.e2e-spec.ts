import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

afterAll(stopServices);

const JSON_POST = 'POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

describe.each(SERVERS)('what is no HTTP request, on %s', (HTTP_ADAPTER) => {
  let service: RunningService;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
  });

  it.each([
    ['a method that nobody knows', 'FETCH /v1/counts HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a control character in the path', 'GET /v1/\u0001 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a byte above ASCII in the path', 'GET /v1/\u00ff HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['two lengths', `${JSON_POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['a chunk without a length', `${JSON_POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['no HTTP at all', '\u0016\u0003\u0001 hello', 400],
    ['headers without an end', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(40_000)}`, 431],
  ])('is refused as a problem: %s', async (_what, bytes, status) => {
    const [head = '', body = ''] = (await sent(bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, code: 'ERR_REQUEST_HEADER' });
  });

  it('never stands in the midst of an answer', async () => {
    const { authorization } = service.administrator;
    const head = `GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`;
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(head);
    const [first] = (await once(socket, 'data')) as [Buffer];
    let rest = '';
    socket.on('data', (chunk: Buffer) => (rest += chunk.toString('latin1'))).on('error', () => undefined);
    socket.write('no HTTP at all\r\n\r\n');
    await once(socket, 'close');
    expect(first.toString()).toMatch(/^HTTP\/1.1 200 /);
    expect(rest).not.toContain('ERR_REQUEST_HEADER');
  });

  /** What comes back for these bytes, until the connection is closed. */
  async function sent(bytes: string): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1'))).on('error', () => undefined);
    socket.write(bytes, 'latin1');
    await once(socket, 'close');
    return received;
  }
});
