import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  type IssuedSession,
  OptionalSession,
  type Session,
  SessionAttribute,
  SessionGuard,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { type RequestHeaders, basic, bearer, cookie, sessionHeaders } from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';
import { WatchedStorage } from './support/watched-storage.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

const REFUSED = {
  status: 401,
  challenge: expect.stringMatching(/^Bearer realm="session"/),
  caching: 'private, no-store',
  json: { statusCode: 401, code: expect.stringMatching(/^ERR_SESSION_(MISSING|INPUT|NOT_FOUND)$/) },
};

@UseGuards(SessionGuard)
@Controller('cart')
class CartController {
  @Get()
  show(@CurrentSession() session: Session, @SessionAttribute('role') role?: string) {
    return { loginId: session.loginId, sessionId: session.sessionId, role, frozen: Object.isFrozen(session) };
  }

  @Get('inherited')
  inherited(
    @SessionAttribute('__proto__') proto?: unknown,
    @SessionAttribute('constructor') constructed?: unknown,
    @SessionAttribute('toString') text?: unknown,
  ) {
    return { types: [proto, constructed, text].map((value) => typeof value), proto };
  }

  @Get('optional')
  @OptionalSession()
  greet(@CurrentSession() session?: Session, @SessionAttribute('role') role?: string) {
    return { loginId: session?.loginId ?? 'anonymous', role: role ?? 'none' };
  }
}

describe.each(ADAPTERS)('SessionGuard on %s', (_name, makeAdapter) => {
  let storage: WatchedStorage;
  let shop: RunningApp;
  let alice: IssuedSession;
  let bob: IssuedSession;

  beforeEach(async () => {
    storage = new WatchedStorage();
    shop = await startSessionApp(makeAdapter, { serviceId: 'shop', storage }, { controllers: [CartController] });
    alice = await shop.sessions.createSession('alice', undefined, { attributes: { role: 'admin' } });
    bob = await shop.sessions.createSession('bob', 'a-token.of_bobs/own+choice==');
    storage.calls.length = 0;
  });

  afterEach(closeApps);

  test.each([
    ['a later release wrote', '{"f":99}', 503, 'ERR_STORAGE_NEWER_FORMAT', '1'],
    ['is damaged', '{', 500, 'ERR_STORAGE_CORRUPT', null],
  ])(
    'responds to the credential of a session that %s as to a failure, never as to an anonymous request',
    async (_what, content, status, code, retryAfter) => {
      const { sessionId } = alice;
      const change = { sessionId, expectedVersion: 1, touch: false, by: 'later' };
      await storage.replace({ ...change, payload: Buffer.from(content) });
      for (const path of ['/cart', '/cart/optional']) {
        const answer = await send(`${shop.url}${path}`, cookie(alice.credential));
        expect([answer.status, answer.json]).toEqual([status, expect.objectContaining({ code })]);
        expect([answer.headers.get('retry-after'), answer.headers.get('www-authenticate')]).toEqual([retryAfter, null]);
      }
    },
  );

  test.each<[string, number, () => RequestHeaders]>([
    ['no credential', 401, () => ({})],
    ['the credential in its cookie', 200, () => cookie(alice.credential)],
    [
      'the credential in its cookie, among other cookies',
      200,
      () => ({ cookie: `a=b; __Host-session=${alice.credential};c="d"` }),
    ],
    ['the credential in its cookie, quoted', 200, () => cookie(`"${alice.credential}"`)],
    ['the credential as a bearer token', 200, () => bearer(alice.credential)],
    ['X-Session-Id with the token as a bearer token', 200, () => sessionHeaders(alice)],
    [
      'the cookie next to a Basic credential',
      200,
      () => ({ ...cookie(alice.credential), ...basic('gateway', 'secret') }),
    ],
    ['the cookie next to a service secret', 200, () => ({ ...cookie(alice.credential), ...bearer('dss_secret') })],
    ['a cookie with another name', 401, () => cookie(alice.credential, 'session')],
    ['the token of another session', 401, () => bearer(`${alice.sessionId}.${bob.token}`)],
    [
      'the token of another session in headers',
      401,
      () => sessionHeaders({ sessionId: alice.sessionId, token: bob.token }),
    ],
    ['only the session id', 401, () => bearer(alice.sessionId)],
    ['only X-Session-Id', 401, () => ({ 'x-session-id': alice.sessionId })],
    ['only the token', 401, () => bearer(alice.token)],
    ['an unknown session', 401, () => bearer(`${UNKNOWN_ID}.${alice.token}`)],
    ['the credential in another authentication scheme', 401, () => ({ authorization: `Session ${alice.credential}` })],
  ])('responds to %s with %i', async (_credential, status, headersOf) => {
    const answer = await send(`${shop.url}/cart`, headersOf());
    const { headers, json } = answer;
    const challenge = headers.get('www-authenticate');
    const seen = { status: answer.status, challenge, caching: headers.get('cache-control'), json };
    const { sessionId } = alice;
    const expected = { loginId: 'alice', sessionId, role: 'admin', frozen: true };
    expect(seen).toMatchObject(status === 200 ? { status, challenge: null, json: expected } : REFUSED);
  });

  test('injects an attribute with a name that every object inherits only if it is set', async () => {
    const seen = async () => (await send(`${shop.url}/cart/inherited`, bearer(alice.credential))).json;
    expect(await seen()).toEqual({ types: ['undefined', 'undefined', 'undefined'] });
    const set = JSON.parse('{"__proto__":{"a":1},"constructor":1}') as Record<string, number>;
    await shop.sessions.setAttributes(alice.sessionId, { set });
    expect(await seen()).toEqual({ types: ['object', 'number', 'undefined'], proto: { a: 1 } });
  });

  test('accepts a caller-chosen token from every carrier', async () => {
    for (const headers of [cookie(bob.credential), bearer(bob.credential), sessionHeaders(bob)]) {
      expect((await send(`${shop.url}/cart`, headers)).json).toMatchObject({ loginId: 'bob' });
    }
  });

  test('responds to an unknown session and a wrong token alike, apart from the session id in the request', async () => {
    const wrong = await send(`${shop.url}/cart`, bearer(`${alice.sessionId}.${bob.token}`));
    const unknown = await send(`${shop.url}/cart`, bearer(`${UNKNOWN_ID}.${bob.token}`));
    expect(wrong.text.replaceAll(alice.sessionId, UNKNOWN_ID)).toBe(unknown.text);
  });

  test.each<[string, () => [string, string][]]>([
    [
      'the cookie twice in one header',
      () => [['Cookie', `__Host-session=${alice.credential}; __Host-session=${alice.credential}`]],
    ],
    [
      'the cookie in two headers',
      () => [
        ['Cookie', cookie(alice.credential)['cookie']!],
        ['Cookie', cookie(bob.credential)['cookie']!],
      ],
    ],
    [
      'Authorization twice',
      () => [
        ['Authorization', `Bearer ${alice.credential}`],
        ['Authorization', `Bearer ${alice.credential}`],
      ],
    ],
    ['X-Session-Id twice', () => [['X-Session-Id', alice.sessionId], ...Object.entries(sessionHeaders(alice))]],
    [
      'the cookie and a bearer token together',
      () => Object.entries({ ...cookie(alice.credential), ...bearer(alice.credential) }),
    ],
    [
      'the cookie and X-Session-Id together',
      () => Object.entries({ ...cookie(alice.credential), ...sessionHeaders(alice) }),
    ],
  ])(
    'rejects %s, although each credential is valid, and is anonymous under @OptionalSession()',
    async (_duplicate, headersOf) => {
      const answer = await sendRaw(shop.url, '/cart', headersOf());
      expect(answer.status).toBe(401);
      expect(answer.json).toMatchObject({ code: 'ERR_SESSION_INPUT', field: 'credential' });
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
      const optional = await sendRaw(shop.url, '/cart/optional', headersOf());
      expect(optional).toMatchObject({ status: 200, json: { loginId: 'anonymous' } });
      expect(storage.calls).toEqual([]);
    },
  );

  test('reads no credential from the URL', async () => {
    const query = new URLSearchParams({
      '__Host-session': alice.credential,
      access_token: alice.credential,
      authorization: `Bearer ${alice.credential}`,
      'x-session-id': alice.sessionId,
      token: alice.token,
    });
    expect((await send(`${shop.url}/cart?${query.toString()}`)).status).toBe(401);
    expect((await send(`${shop.url}/cart/optional?${query.toString()}`)).json).toMatchObject({ loginId: 'anonymous' });
    expect(storage.calls).toEqual([]);
  });

  test.each<[string, () => RequestHeaders]>([
    ['an empty cookie', () => cookie('')],
    ['a cookie that is not a credential', () => cookie('s%3Aabc')],
    ['an upper-case session id', () => bearer(`${alice.sessionId.toUpperCase()}.${alice.token}`)],
    ['a session id that is not a UUID', () => bearer(`${'x'.repeat(36)}.${alice.token}`)],
    ['a session id that contains a path', () => sessionHeaders({ sessionId: '../sessions/alice', token: alice.token })],
    ['a credential without a token', () => bearer(`${alice.sessionId}.`)],
    ['a credential with another separator', () => bearer(`${alice.sessionId}:${alice.token}`)],
    ['a token that is too long', () => bearer(`${alice.sessionId}.${'t'.repeat(4_001)}`)],
    ['a token with a space', () => bearer(`${alice.sessionId}.a b`)],
    ['names of prototype properties', () => sessionHeaders({ sessionId: '__proto__', token: 'constructor' })],
  ])('rejects %s without reading the storage', async (_malformed, headersOf) => {
    const answer = await send(`${shop.url}/cart`, headersOf());
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'ERR_SESSION_INPUT', field: 'credential' });
    expect((await send(`${shop.url}/cart/optional`, headersOf())).json).toMatchObject({ loginId: 'anonymous' });
    expect(storage.calls).toEqual([]);
  });

  test('reads the storage once for an unknown credential, and creates nothing', async () => {
    expect((await send(`${shop.url}/cart`, bearer(`${UNKNOWN_ID}.${alice.token}`))).status).toBe(401);
    expect(storage.calls).toEqual(['get', 'get done']);
    expect(await shop.sessions.countSessions()).toBe(2);
  });

  test('accepts requests with and without a session under @OptionalSession()', async () => {
    const optional = `${shop.url}/cart/optional`;
    expect((await send(optional)).json).toEqual({ loginId: 'anonymous', role: 'none' });
    expect((await send(optional, bearer(alice.credential))).json).toEqual({ loginId: 'alice', role: 'admin' });
    await shop.sessions.deleteSession(alice.sessionId);
    expect((await send(optional, bearer(alice.credential))).json).toEqual({ loginId: 'anonymous', role: 'none' });
  });

  test.each(['/cart', '/cart/optional'])(
    'responds to %s with 503 while the storage is unavailable, not as to an anonymous request',
    async (path) => {
      storage.failure = new StorageUnavailableError();
      const answer = await send(`${shop.url}${path}`, bearer(alice.credential));
      expect(answer.status).toBe(503);
      expect(answer.json).toMatchObject({ statusCode: 503, code: 'ERR_STORAGE_UNAVAILABLE' });
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.headers.get('www-authenticate')).toBeNull();
      storage.failure = undefined;
      expect((await send(`${shop.url}${path}`, bearer(alice.credential))).json).toMatchObject({ loginId: 'alice' });
    },
  );
});
