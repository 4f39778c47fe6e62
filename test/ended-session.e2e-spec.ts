import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
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

@UseGuards(SessionGuard)
@Controller('me')
class MeController {
  @Get()
  show(@CurrentSession() session: Session) {
    return { sessionId: session.sessionId };
  }
}

type End = (shop: RunningApp, alice: IssuedSession, clock: FakeClock) => unknown;

describe.each(ADAPTERS)('a session that has ended, on %s', (_name, makeAdapter) => {
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
      { controllers: [MeController] },
    );
    alice = await shop.sessions.createSession('alice', undefined, { device: 'web' });
  });

  afterEach(closeApps);

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
  ])('is refused with its reason: %s', async (reason, end) => {
    expect((await send(`${shop.url}/me`, bearer(alice.credential))).status).toBe(200);
    await end(shop, alice, clock);
    const answer = await send(`${shop.url}/me`, bearer(alice.credential));
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'ERR_SESSION_ENDED', reason, endedAt: expect.any(Number) });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="session", error="invalid_token"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.text).not.toContain(alice.token);
  });

  test('has its late use reported', async () => {
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

  test('is followed to its successor by the old credential while the grace lasts, and not after', async () => {
    const rotated = await shop.sessions.rotateSession(alice.sessionId);
    const successor = { sessionId: rotated.sessionId };
    clock.advance(GRACE_MS - 1);
    expect((await send(`${shop.url}/me`, bearer(alice.credential))).json).toEqual(successor);
    const guessed = bearer(`${alice.sessionId}.${rotated.token}`);
    expect((await send(`${shop.url}/me`, guessed)).status).toBe(401);
    clock.advance(1);
    expect((await send(`${shop.url}/me`, bearer(alice.credential))).status).toBe(401);
    expect((await send(`${shop.url}/me`, bearer(rotated.credential))).json).toEqual(successor);
  });

  test('tells the reason of the successor when that is ended within the grace', async () => {
    const rotated = await shop.sessions.rotateSession(alice.sessionId);
    await shop.sessions.kickOut(rotated.sessionId);
    const answer = await send(`${shop.url}/me`, bearer(alice.credential));
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ reason: 'kicked-out' });
  });

  test('is kept alive by requests, for no longer than its absolute end', async () => {
    const statuses: number[] = [];
    for (let elapsed = 0; elapsed < 30; elapsed += 6) {
      statuses.push((await send(`${shop.url}/me`, bearer(alice.credential))).status);
      clock.advance(6 * MINUTE);
    }
    statuses.push((await send(`${shop.url}/me`, bearer(alice.credential))).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 401]);
  });
});
