import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Body, Controller, Get, Post, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentService,
  InMemorySessionStorage,
  OptionalSession,
  ServiceAuthGuard,
  type ServiceCredential,
  SessionGuard,
} from 'nestjs-distributed-session';
import { PROXIED_ADAPTERS } from './support/adapters.js';
import { bearer, cookie } from './support/credential-headers.js';
import { sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

const TOO_MANY = { status: 431, json: { statusCode: 431, code: 'ERR_REQUEST_HEADER', limit: expect.any(Number) } };
/** `sendRaw()` adds `Host` and `Connection`. */
const OWN_LINES = 2;

@Controller()
class CallerController {
  @Get('session')
  @UseGuards(SessionGuard)
  session() {
    return 'session';
  }

  @Get('optional')
  @OptionalSession()
  @UseGuards(SessionGuard)
  optional() {
    return 'optional';
  }

  @Post('service')
  @UseGuards(ServiceAuthGuard)
  service(@CurrentService() { serviceId }: ServiceCredential, @Body() body: unknown) {
    return { serviceId, body };
  }
}

function junk(count: number): [string, string][] {
  return Array.from({ length: count }, () => ['a', '']);
}

describe.each(PROXIED_ADAPTERS)('A guard on %s', (_name, makeAdapter) => {
  let app: RunningApp;
  let credential: string;
  let secret: string;

  beforeEach(async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    app = await startSessionApp(makeAdapter, options, { controllers: [CallerController] });
    ({ credential } = await app.sessions.createSession('alice'));
    const gateway = { serviceId: 'gateway', serviceName: 'Gateway', permissions: [] };
    ({ secret } = await app.sessions.registerService(gateway));
  });

  afterEach(closeApps);

  const session = (path: string, before: number, after: [string, string][] = []) =>
    sendRaw(app.url, path, [['Cookie', cookie(credential)['cookie']!], ...junk(before), ...after]);

  test.each([999, 1_000, 1_001, 1_023, 1_500, 1_998, 2_500])(
    'rejects a request with %i headers, of which Node may have dropped some, on every route',
    async (lines) => {
      const count = lines - OWN_LINES - 1;
      for (const path of ['/session', '/optional']) {
        const answer = await session(path, count, [['X-Forwarded-For', '192.0.2.1']]);
        // Later releases of Node reject more than their limit themselves, without a body.
        const isNodes = lines >= 1_000 && answer.text === '';
        expect(answer).toMatchObject(isNodes ? { status: 431 } : TOO_MANY);
      }
    },
  );

  test('accepts a request with fewer headers', async () => {
    expect((await session('/session', 990)).text).toBe('session');
  });

  test.each([16, 32, 50, 100])('knows the limit of a server that keeps only %i headers', async (limit) => {
    const server = app.app.getHttpServer() as { maxHeadersCount: number };
    server.maxHeadersCount = limit;
    expect(await session('/session', limit - OWN_LINES - 1)).toMatchObject({ ...TOO_MANY, json: { limit } });
    expect((await session('/session', limit - OWN_LINES - 2)).text).toBe('session');
    server.maxHeadersCount = 0;
    expect((await session('/session', 2_500)).text).toBe('session');
  });

  test.each([
    ['the same', 'localhost'],
    ['another', 'attacker.example'],
    ['an empty', ''],
  ])('rejects a second Host header with %s value', async (_what, host) => {
    const headers: [string, string][] = [
      ['Cookie', cookie(credential)['cookie']!],
      ['HOST', host],
    ];
    for (const path of ['/session', '/optional']) {
      expect(await sendRaw(app.url, path, headers)).toMatchObject({
        status: 400,
        json: { statusCode: 400, code: 'ERR_REQUEST_HEADER' },
      });
    }
  });

  test('reads no credential from a trailer', async () => {
    const line = `Authorization: ${bearer(secret)['authorization']}\r\n`;
    expect(await statusOfPost(app.url, '', line)).toBe('HTTP/1.1 401 Unauthorized');
    expect(await statusOfPost(app.url, line, '')).toBe('HTTP/1.1 201 Created');
    expect(await statusOfPost(app.url, line, line)).toBe('HTTP/1.1 201 Created');
  });
});

/** Sends a chunked body with these additional header lines and trailer lines, and returns the status line. */
async function statusOfPost(url: string, headers: string, trailers: string): Promise<string | undefined> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(
    'POST /service HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n' +
      `Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n${headers}\r\n2\r\n{}\r\n0\r\n${trailers}\r\n`,
  );
  return (await text(socket)).split('\r\n', 1)[0];
}
