import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  InMemorySessionStorage,
  type IssuedSession,
  OptionalSession,
  type Session,
  SessionGuard,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

const NAME = '__Host-session';
const BYTES = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/** Bytes that HTTP itself ignores around a name, or that separate pairs. */
const BEFORE = [' ', '\t', ';'];
const AFTER = [' ', '\t'];
const REFUSED: unknown = expect.stringMatching(/^40[01] /);

/** Names that resemble the session cookie's to software that is more lenient than RFC 6265bis. */
const LOOK_ALIKES: Record<string, string> = {
  'a no-break space in UTF-8': '\xc2\xa0__Host-session',
  'an ideographic space in UTF-8': '__Host-session\xe3\x80\x80',
  'a line separator in UTF-8': '\xe2\x80\xa8__Host-session',
  'a byte order mark': '\xef\xbb\xbf__Host-session',
  'a no-break space within the name': '__Host\xa0-session',
  'an upper-case prefix': '__HOST-session',
  'a lower-case prefix': '__host-session',
  'an upper-case name': '__Host-SESSION',
  'quotes around the name': '"__Host-session"',
  'apostrophes around the name': "'__Host-session'",
  'a percent-encoded prefix': '%5F%5FHost-session',
  'a letter that is percent-encoded twice': '__Host-s%2565ssion',
  'a percent-encoded space': '%20__Host-session',
  'a plus sign for a space': '+__Host-session',
  'dots that PHP reads as underscores': '..Host-session',
  'a bracket that PHP reads as an underscore': '[_Host-session',
  'an underscore for the hyphen': '__Host_session',
  'full-width letters': Buffer.from('__Ｈｏｓｔ-session').toString('latin1'),
  'a long s': Buffer.from('__Host-ſeſſion').toString('latin1'),
  'no name, but a value that contains a name': '=__Host-session',
  'several equals signs in front of the name': ' = =__Host-session',
  "RFC 2109's reserved dollar sign": '$__Host-session',
  "a comma, which separated RFC 2109's cookies": ',__Host-session',
};

/** Other cookies, which do not affect the session. */
const OTHERS = [
  'session=x',
  '__Secure-session=x',
  '__Host-session2=x',
  '__Host-session.sig=x',
  '__Host-sessions=x',
  'x__Host-session=x',
  '__Host-=x',
  'a=__Host-session',
  'a="b, __Host-session=x"',
  '_ga=GA1.2.3; theme=dark',
  'malformed',
  '=x',
  '=',
  '',
  '\xe9t\xe9=1',
  '%E0%A4%A=1',
];

@UseGuards(SessionGuard)
@Controller()
class PageController {
  @Get('account')
  account(@CurrentSession() { loginId }: Session) {
    return { loginId };
  }

  @OptionalSession()
  @Get('login')
  login(@CurrentSession() session?: Session) {
    return { loginId: session?.loginId ?? 'anonymous' };
  }
}

describe.each(ADAPTERS)('SessionGuard on %s', (_name, makeAdapter) => {
  let shop: RunningApp;
  let mallory: IssuedSession;
  let alice: IssuedSession;

  beforeAll(async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    shop = await startSessionApp(makeAdapter, options, { controllers: [PageController] });
    alice = await shop.sessions.createSession('alice');
    mallory = await shop.sessions.createSession('mallory');
  });

  afterAll(closeApps);

  /** Returns the user whose session the route used, or the status and code of the response. */
  async function userOf(path: string, cookies: string): Promise<string> {
    const { status, json } = await sendRaw(shop.url, path, [['Cookie', cookies]]);
    const { loginId, code } = (json ?? {}) as { loginId?: string; code?: string };
    return loginId ?? `${status} ${code}`;
  }

  const planted = (name: string) => `${name}=${mallory.credential}`;
  const own = () => `${NAME}=${alice.credential}`;

  /** Returns the users that the route saw for each of these cookie headers. */
  const usersOf = (headers: readonly string[]) => Promise.all(headers.map((header) => userOf('/account', header)));

  test('reads no cookie with another byte before its name, for all 256 bytes', async () => {
    const users = await usersOf(BYTES.map((byte) => planted(byte + NAME)));
    expect(users).toEqual(BYTES.map((byte) => (BEFORE.includes(byte) ? 'mallory' : REFUSED)));
  });

  test('reads no cookie with another byte after its name, for all 256 bytes', async () => {
    const users = await usersOf(BYTES.map((byte) => planted(NAME + byte)));
    expect(users).toEqual(BYTES.map((byte) => (AFTER.includes(byte) ? 'mallory' : REFUSED)));
  });

  test.each<[string, (byte: string) => string]>([
    ['before', (byte) => byte + NAME],
    ['after', (byte) => NAME + byte],
  ])('prefers no cookie with a byte %s its name to the own one, for all 256 bytes', async (_where, nameWith) => {
    const expected = BYTES.map((byte) => (/^[A-Za-z0-9]$/.test(byte) ? 'alice' : REFUSED));
    const pairs = BYTES.map((byte) => planted(nameWith(byte)));
    expect(await usersOf(pairs.map((pair) => `${pair}; ${own()}`))).toEqual(expected);
    expect(await usersOf(pairs.map((pair) => `${own()}; ${pair}`))).toEqual(expected);
  });

  test.each(Object.entries(LOOK_ALIKES))(
    'rejects a cookie whose name has %s, also next to the own one',
    async (_what, name) => {
      for (const cookies of [planted(name), `${planted(name)}; ${own()}`, `${own()}; a=b;${planted(name)}`]) {
        expect(await userOf('/account', cookies)).toBe('401 ERR_SESSION_INPUT');
      }
    },
  );

  test.each(Object.entries(LOOK_ALIKES))(
    'treats a request with such a cookie as anonymous under @OptionalSession(): %s',
    async (_what, name) => {
      for (const cookies of [planted(name), `${planted(name)}; ${own()}`]) {
        expect(await userOf('/login', cookies)).toBe('anonymous');
      }
    },
  );

  test.each([NAME, `;${NAME}`, `${NAME};`])('rejects the name %s without a value', async (cookie) => {
    expect(await userOf('/account', cookie)).toBe('401 ERR_SESSION_INPUT');
    expect(await userOf('/account', `${own()}; ${cookie}`)).toBe('401 ERR_SESSION_INPUT');
  });

  test.each(OTHERS)('ignores the other cookie "%s"', async (other) => {
    for (const cookies of [`${other}; ${own()}`, `${own()}; ${other}`]) {
      expect([other, await userOf('/account', cookies)]).toEqual([other, 'alice']);
    }
  });

  test('names the cookie in its error, but not the value', async () => {
    const { text } = await sendRaw(shop.url, '/account', [['Cookie', planted(`\xa0${NAME}`)]]);
    expect(text).toContain('resembles __Host-session');
    expect(text).not.toContain(mallory.token);
  });

  test('reads a cookie with an unprefixed name, and rejects only what lenient software could read as that name', async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage(), sessionCookieName: 'sid' };
    const other = await startSessionApp(makeAdapter, options, { controllers: [PageController] });
    const { credential } = await other.sessions.createSession('alice');
    const statusOf = async (cookies: string) => (await sendRaw(other.url, '/account', [['Cookie', cookies]])).status;
    for (const cookies of ['_sid=1', 'sid_=1', 'sid.sig=1', 'sid2=1', 'asid=1', 's-id=1']) {
      expect([cookies, await statusOf(`sid=${credential}; ${cookies}`)]).toEqual([cookies, 200]);
    }
    for (const cookies of ['SID=1', 'sid\xa0=1', '%73id=1', '"sid"=1', '=sid=1', 'sid!=1', 'sid']) {
      expect([cookies, await statusOf(`sid=${credential}; ${cookies}`)]).toEqual([cookies, 401]);
    }
  });
});
