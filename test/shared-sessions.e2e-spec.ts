import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  DistributedSessionManager,
  type EndReason,
  InMemorySessionStorage,
  type IssuedSession,
  type Session,
  SessionGuard,
  type SessionEventMap,
} from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { ADAPTERS } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

const MINUTE = 60_000;
const GRACE_MS = 10_000;

@Controller()
class AccountController {
  constructor(private readonly sessions: DistributedSessionManager) {}

  @Post('login')
  async login() {
    const { sessionId, credential } = await this.sessions.createSession('alice');
    return { sessionId, credential };
  }

  @Get('me')
  @UseGuards(SessionGuard)
  me(@CurrentSession() { sessionId, loginId, serviceId }: Session) {
    return { sessionId, loginId, serviceId };
  }

  @Post('logout')
  @UseGuards(SessionGuard)
  async logout(@CurrentSession() { sessionId }: Session) {
    return { ended: await this.sessions.deleteSession(sessionId) };
  }
}

const controllers = [AccountController];

afterEach(closeApps);

type End = (shop: RunningApp, alice: IssuedSession, clock: FakeClock) => unknown;

describe.each(ADAPTERS)('An ended session on %s', (_name, makeAdapter) => {
  let clock: FakeClock;
  let shop: RunningApp;
  let alice: IssuedSession;

  beforeEach(async () => {
    clock = new FakeClock();
    shop = await startSessionApp(
      makeAdapter,
      {
        serviceId: 'shop',
        storage: new InMemorySessionStorage({ clock }),
        idleTimeoutMs: 10 * MINUTE,
        absoluteTimeoutMs: 30 * MINUTE,
        maxSessionsPerLogin: 2,
        maxSessionsPerDevice: 1,
        rotationGraceMs: GRACE_MS,
      },
      { controllers },
    );
    alice = await shop.sessions.createSession('alice', undefined, { device: 'web' });
  });

  test.each<[EndReason, End]>([
    ['logged-out', ({ sessions }, { sessionId }) => sessions.deleteSession(sessionId)],
    ['logged-out', ({ sessions }) => sessions.deleteAllSessions('alice')],
    ['kicked-out', ({ sessions }, { sessionId }) => sessions.kickOut(sessionId, { actor: 'an administrator' })],
    ['revoked', ({ sessions }) => sessions.deleteAllSessions('alice', { reason: 'revoked' })],
    ['replaced', ({ sessions }) => sessions.createSession('alice', undefined, { device: 'web' })],
    [
      'limit',
      async ({ sessions }) => {
        await sessions.createSession('alice', undefined, { device: 'mobile' });
        await sessions.createSession('alice', undefined, { device: 'desktop' });
      },
    ],
    ['idle-timeout', (_shop, _alice, time) => time.advance(10 * MINUTE)],
    [
      'absolute-timeout',
      async ({ sessions }, { sessionId }, time) => {
        for (let used = 0; used < 3; used++) {
          time.advance(9 * MINUTE);
          await sessions.refreshSession(sessionId);
        }
        time.advance(3 * MINUTE);
      },
    ],
    [
      'rotated',
      async ({ sessions }, { sessionId }, time) => {
        await sessions.rotateSession(sessionId);
        time.advance(GRACE_MS);
      },
    ],
  ])('is rejected with the reason %s', async (reason, end) => {
    expect((await send(`${shop.url}/me`, bearer(alice.credential))).status).toBe(200);
    await end(shop, alice, clock);
    const answer = await send(`${shop.url}/me`, bearer(alice.credential));
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'ERR_SESSION_ENDED', reason, endedAt: expect.any(Number) });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="session", error="invalid_token"');
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(answer.text).not.toContain(alice.token);
  });

  test('emits session.refused when its credential is used', async () => {
    const refused: SessionEventMap['session.refused'][] = [];
    shop.sessions.events.on('session.refused').subscribe((event) => refused.push(event));
    await shop.sessions.kickOut(alice.sessionId);
    clock.advance(MINUTE);
    expect((await send(`${shop.url}/me`, bearer(alice.credential))).status).toBe(401);
    const { sessionId } = alice;
    expect(refused).toEqual([
      {
        type: 'session.refused',
        sessionId,
        loginId: 'alice',
        serviceId: 'shop',
        device: 'web',
        version: 1,
        reason: 'kicked-out',
        by: 'shop',
        at: clock.now(),
      },
    ]);
  });

  test('returns its successor for the old credential during the grace period after a rotation, but not afterwards', async () => {
    const rotated = await shop.sessions.rotateSession(alice.sessionId);
    const successor = { sessionId: rotated.sessionId, loginId: 'alice', serviceId: 'shop' };
    clock.advance(GRACE_MS - 1);
    expect((await send(`${shop.url}/me`, bearer(alice.credential))).json).toEqual(successor);
    const guessed = bearer(`${alice.sessionId}.${rotated.token}`);
    expect((await send(`${shop.url}/me`, guessed)).status).toBe(401);
    clock.advance(1);
    expect((await send(`${shop.url}/me`, bearer(alice.credential))).status).toBe(401);
    expect((await send(`${shop.url}/me`, bearer(rotated.credential))).json).toEqual(successor);
  });

  test('is rejected with the reason of its successor that ended during the grace period', async () => {
    const rotated = await shop.sessions.rotateSession(alice.sessionId);
    await shop.sessions.kickOut(rotated.sessionId);
    const answer = await send(`${shop.url}/me`, bearer(alice.credential));
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ reason: 'kicked-out' });
  });

  test('was kept alive by requests until its absolute timeout', async () => {
    const statuses: number[] = [];
    for (let elapsed = 0; elapsed < 30; elapsed += 6) {
      statuses.push((await send(`${shop.url}/me`, bearer(alice.credential))).status);
      clock.advance(6 * MINUTE);
    }
    statuses.push((await send(`${shop.url}/me`, bearer(alice.credential))).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 401]);
  });
});

describe.each(ADAPTERS)('Two services with one storage on %s', (_name, makeAdapter) => {
  let shop: RunningApp;
  let bank: RunningApp;
  let alice: Pick<IssuedSession, 'sessionId' | 'credential'>;

  beforeEach(async () => {
    const storage = new InMemorySessionStorage();
    shop = await startSessionApp(makeAdapter, { serviceId: 'shop', storage }, { controllers });
    bank = await startSessionApp(makeAdapter, { serviceId: 'bank', storage }, { controllers });
    alice = (await send(`${shop.url}/login`, {}, 'POST')).json as typeof alice;
  });

  test('accept a session that the other one created', async () => {
    const answer = await send(`${bank.url}/me`, bearer(alice.credential));
    expect(answer.json).toEqual({ sessionId: alice.sessionId, loginId: 'alice', serviceId: 'shop' });
  });

  test('share attributes and keep those that the other one writes', async () => {
    await Promise.all([
      shop.sessions.setAttribute(alice.sessionId, 'cart', ['tea']),
      bank.sessions.setAttribute(alice.sessionId, 'iban', 'GB00'),
    ]);
    for (const { sessions } of [shop, bank]) {
      expect((await sessions.getSession(alice.sessionId)).attributes).toEqual({ cart: ['tea'], iban: 'GB00' });
    }
  });

  test('reject a session that the other one ended, with the reason', async () => {
    expect((await send(`${bank.url}/me`, bearer(alice.credential))).status).toBe(200);
    expect((await send(`${shop.url}/logout`, bearer(alice.credential), 'POST')).json).toEqual({ ended: true });
    const answer = await send(`${bank.url}/me`, bearer(alice.credential));
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'logged-out' });
  });

  test('keep working after the other one is closed', async () => {
    await shop.app.close();
    expect((await send(`${bank.url}/me`, bearer(alice.credential))).json).toMatchObject({ loginId: 'alice' });
    expect((await send(`${bank.url}/login`, {}, 'POST')).status).toBe(201);
    expect(await bank.sessions.countSessions('alice')).toBe(2);
  });

  test('share registered services, and reject one immediately after the other revokes it', async () => {
    const gateway = { serviceId: 'gateway', serviceName: 'Gateway', permissions: ['session.read'] };
    const { secret } = await shop.sessions.registerService(gateway);
    expect((await bank.sessions.verifyService('gateway', secret)).permissions).toEqual(['session.read']);
    await shop.sessions.revokeService('gateway');
    await expect(bank.sessions.verifyService('gateway', secret)).rejects.toMatchObject({
      code: 'ERR_SERVICE_AUTHENTICATION',
    });
  });
});
