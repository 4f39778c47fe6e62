import fastifyCookie from '@fastify/cookie';
import { Controller, Get, Query, Res, UseGuards } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringifySetCookie } from 'cookie';
import * as fc from 'fast-check';
import {
  CurrentSession,
  DistributedSessionModule,
  InMemorySessionStorage,
  type IssuedSession,
  type Session,
  SessionGuard,
  TOKEN_PATTERN,
} from 'nestjs-distributed-session';
import { CookieJar } from 'tough-cookie';
import type { MakeAdapter } from './support/adapters.js';
import { bearer, cookie, sessionHeaders } from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, listen, makeApp } from './support/running-app.js';

const NAME = '__Host-session';
const ATTRIBUTES = { httpOnly: true, secure: true, path: '/' };
const ORIGIN = 'https://shop.example/';

interface Response {
  /** Of Express. */
  cookie?(name: string, value: string, options: typeof ATTRIBUTES): void;
  /** Of `@fastify/cookie`. */
  setCookie?(name: string, value: string, options: typeof ATTRIBUTES): void;
}

@Controller()
class LoginController {
  @Get('login')
  login(@Query('credential') credential: string, @Res({ passthrough: true }) response: Response) {
    if (response.cookie) response.cookie(NAME, credential, ATTRIBUTES);
    else response.setCookie!(NAME, credential, ATTRIBUTES);
    return {};
  }

  @UseGuards(SessionGuard)
  @Get('account')
  account(@CurrentSession() { sessionId }: Session) {
    return { sessionId };
  }
}

/** Tokens that libraries encode, or that come close to the limits. */
const TOKENS = [
  '0123456789abcdefYWJj+/==',
  '+/+/+/+/+/+/abcdefgh01==',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/====',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
  `~._-abcdefgh0123456789${'zyxwvutsrq'.repeat(397)}`,
];
const ANY_TOKEN = fc.stringMatching(/^[A-Za-z0-9._~+/-]{60}={0,2}$/);

const ADAPTERS: readonly (readonly [string, MakeAdapter])[] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

describe.each(ADAPTERS)('On %s, every token that createSession() accepts', (name, makeAdapter) => {
  let shop: RunningApp;

  beforeAll(async () => {
    const sessions = DistributedSessionModule.forRoot({
      serviceId: 'shop',
      storage: new InMemorySessionStorage(),
      sessionCarriers: ['cookie', 'bearer', 'headers'],
      minTokenLength: 22,
    });
    const app = await makeApp({ imports: [sessions], controllers: [LoginController] }, makeAdapter);
    if (name === 'Fastify') await (app as NestFastifyApplication).register(fastifyCookie);
    shop = await listen(app);
  });

  afterAll(closeApps);

  const carriers: Record<string, (session: IssuedSession) => Promise<Record<string, string>>> = {
    'the framework': async ({ credential }) => {
      const { headers } = await send(`${shop.url}/login?credential=${encodeURIComponent(credential)}`);
      return { cookie: await sentByBrowser(headers.get('set-cookie')!) };
    },
    'the package cookie': async ({ credential }) => ({
      cookie: await sentByBrowser(stringifySetCookie({ name: NAME, value: credential, ...ATTRIBUTES })),
    }),
    'a cookie without encoding': async ({ credential }) => ({
      cookie: await sentByBrowser(`${NAME}=${credential}; Path=/; Secure; HttpOnly`),
    }),
    'a quoted cookie': async ({ credential }) => cookie(`"${credential}"`),
    'a cookie in which everything is encoded': async ({ credential }) => {
      const encoded = Array.from(credential, (one) => `%${one.charCodeAt(0).toString(16)}`).join('');
      return cookie(credential.length < 1_000 ? encoded : credential);
    },
    'a bearer token': async ({ credential }) => bearer(credential),
    'two headers': async (session) => sessionHeaders(session),
  };

  const readBack = async (session: IssuedSession, carry: (typeof carriers)[string]) =>
    (await send(`${shop.url}/account`, await carry(session))).json;

  describe.each(Object.entries(carriers))('carried by %s,', (_, carry) => {
    test.each(TOKENS.map((token) => [token.slice(0, 30), token]))('authenticates: %s', async (_start, token) => {
      expect(TOKEN_PATTERN.test(token)).toBe(true);
      const session = await shop.sessions.createSession('alice', token);
      expect(await readBack(session, carry)).toEqual({ sessionId: session.sessionId });
    });

    test('authenticates, for any token', async () => {
      await fc.assert(
        fc.asyncProperty(ANY_TOKEN, async (token) => {
          const session = await shop.sessions.createSession('alice', token);
          expect(await readBack(session, carry)).toEqual({ sessionId: session.sessionId });
        }),
        { numRuns: 25 },
      );
    });
  });

  test('is decoded once only', async () => {
    const { credential } = await shop.sessions.createSession('alice', TOKENS[0]);
    const once = encodeURIComponent(credential);
    expect((await send(`${shop.url}/account`, cookie(once))).status).toBe(200);
    expect((await send(`${shop.url}/account`, cookie(encodeURIComponent(once)))).status).toBe(401);
    expect((await sendRaw(shop.url, '/account', [['Cookie', `${NAME}=${credential}%`]])).status).toBe(401);
    expect((await sendRaw(shop.url, '/account', [['Cookie', `${NAME}=${credential}%FF`]])).status).toBe(401);
  });
});

describe('createSession()', () => {
  test('rejects a token with any other character', async () => {
    const sessions = (await startManager()).sessions;
    for (let code = 0; code < 300; code++) {
      const token = `abcdefgh01234567${String.fromCharCode(code)}ABCDEFGH`;
      const isAccepted = await sessions.createSession('alice', token).then(
        () => true,
        ({ field, constraint }: { field: string; constraint: string }) => `${field} ${constraint}` !== 'token format',
      );
      expect([code, isAccepted]).toEqual([code, /[\w.~+/-]/.test(String.fromCharCode(code))]);
    }
    await expect(sessions.createSession('alice', '=abcdefgh0123456789ABCDEF')).rejects.toThrow('RFC 6750');
  });

  test('rejects a token that a library encodes to more than a browser stores', async () => {
    const { sessions } = await startManager();
    const token = `${'abcdefgh0/'.repeat(300)}${'y'.repeat(400)}`;
    await expect(sessions.createSession('alice', token)).resolves.toBeDefined();
    const error = { field: 'token', constraint: 'length', limit: 4_000 };
    await expect(sessions.createSession('alice', `${token}z`)).rejects.toMatchObject(error);
  });

  afterAll(closeApps);
});

async function startManager(): Promise<RunningApp> {
  const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() })];
  return listen(await makeApp({ imports }, () => new ExpressAdapter()));
}

/** What a browser sends after it has received this header. */
async function sentByBrowser(setCookie: string): Promise<string> {
  const jar = new CookieJar();
  await jar.setCookie(setCookie, ORIGIN);
  return jar.getCookieString(ORIGIN);
}
