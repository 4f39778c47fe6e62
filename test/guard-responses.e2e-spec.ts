import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { AnswersController, PUBLIC, ServicesController, UnguardedController } from './support/answering-controllers.js';
import { bearer, cookie } from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

const GUARDED = 'private, no-store';

describe.each(ADAPTERS)('The response of a guarded route on %s', (_name, makeAdapter) => {
  let shop: RunningApp;
  let credential: string;

  beforeAll(async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const controllers = [AnswersController, ServicesController, UnguardedController];
    shop = await startSessionApp(makeAdapter, options, { controllers });
    ({ credential } = await shop.sessions.createSession('alice'));
  });

  afterAll(closeApps);

  test.each([
    ['json', 200],
    ['empty', 200],
    ['stream', 200],
    ['redirect', 302],
    ['error', 400],
    ['crash', 500],
    ['reply', 200],
    ['optional', 200],
  ])('is not cached: GET /%s with status %i', async (path, status) => {
    const { headers, status: actual } = await send(`${shop.url}/${path}`, cookie(credential));
    expect([actual, headers.get('cache-control')]).toEqual([status, GUARDED]);
  });

  test('is not cached as a stream of events', async () => {
    const { headers } = await send(`${shop.url}/events`, cookie(credential));
    expect(headers.get('cache-control')).toMatch(/private.*no-store/);
  });

  test('is not cached as a 304', async () => {
    const first = await send(`${shop.url}/json`, cookie(credential));
    const ifNoneMatch = { 'if-none-match': first.headers.get('etag') ?? '"none"' };
    const { headers } = await send(`${shop.url}/json`, { ...cookie(credential), ...ifNoneMatch });
    expect(headers.get('cache-control')).toBe(GUARDED);
  });

  test.each(['decorator', 'passthrough', 'reply', 'raw'])('is cached if the handler says so: %s', async (how) => {
    const { headers } = await send(`${shop.url}/public/${how}`, cookie(credential));
    expect(headers.get('cache-control')).toBe(PUBLIC);
  });

  test('is not cached if a guard rejects the request, nor behind the service guards', async () => {
    const outsider = { serviceId: 'outsider', serviceName: 'Outsider', permissions: [] };
    const { secret } = await shop.sessions.registerService(outsider);
    const answers = await Promise.all([
      send(`${shop.url}/json`),
      send(`${shop.url}/public/decorator`, cookie('malformed')),
      send(`${shop.url}/services`),
      send(`${shop.url}/services`, bearer(secret)),
      send(`${shop.url}/services/open`),
      sendRaw(shop.url, '/json', [['Host', 'other']]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 403, 200, 400]);
    expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(answers.map(() => GUARDED));
  });

  test('is left alone without a guard', async () => {
    expect((await send(`${shop.url}/unguarded`)).headers.get('cache-control')).toBeNull();
  });

  test('distinguishes a request without a session credential from one with a malformed or unknown one', async () => {
    const codeOf = async (headers: Record<string, string>) =>
      ((await send(`${shop.url}/json`, headers)).json as { code: string }).code;
    const { sessionId } = await shop.sessions.createSession('bob');
    await shop.sessions.deleteSession(sessionId);
    expect(await codeOf({})).toBe('ERR_SESSION_MISSING');
    expect(await codeOf({ cookie: 'other=1' })).toBe('ERR_SESSION_MISSING');
    expect(await codeOf(bearer('dss_secret'))).toBe('ERR_SESSION_MISSING');
    expect(await codeOf(cookie('malformed'))).toBe('ERR_SESSION_INPUT');
    expect(await codeOf(cookie(`${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}.token`))).toBe(
      'ERR_SESSION_NOT_FOUND',
    );
  });
});
