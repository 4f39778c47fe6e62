import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  InMemorySessionStorage,
  type Session,
  type SessionEvent,
  SessionEvents,
  SessionGuard,
} from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { firstValueFrom } from 'rxjs';
import { ADAPTERS } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

@Controller()
class MeController {
  @Get('me')
  @UseGuards(SessionGuard)
  me(@CurrentSession() { loginId }: Session) {
    return { loginId };
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('SessionEvents on %s', (_name, makeAdapter) => {
  let clock: FakeClock;
  let storage: InMemorySessionStorage;
  let shop: RunningApp;
  let bank: RunningApp;
  let seen: SessionEvent[];

  beforeEach(async () => {
    clock = new FakeClock();
    storage = new InMemorySessionStorage({ clock });
    const metadata = { controllers: [MeController] };
    shop = await startSessionApp(makeAdapter, { serviceId: 'shop', storage, sweepIntervalMs: null }, metadata);
    bank = await startSessionApp(makeAdapter, { serviceId: 'bank', storage, sweepIntervalMs: null }, metadata);
    seen = [];
    shop.app.get(SessionEvents, { strict: false }).all.subscribe((event) => seen.push(event));
  });

  test('deliver the session, user, type, version, actor and time of changes by any process', async () => {
    const { sessionId } = await bank.sessions.createSession('alice', undefined, { device: 'web' });
    clock.advance(1);
    await shop.sessions.setAttribute(sessionId, 'role', 'admin');
    clock.advance(1);
    await bank.sessions.kickOut(sessionId, { actor: 'an administrator' });
    await delivered();
    const session = { sessionId, loginId: 'alice', serviceId: 'bank', device: 'web' };
    const now = clock.now();
    expect(seen).toEqual([
      { type: 'session.created', ...session, version: 1, by: 'bank', at: now - 2 },
      { type: 'session.updated', ...session, version: 2, by: 'shop', at: now - 1 },
      {
        type: 'session.ended',
        ...session,
        version: 2,
        by: 'bank',
        at: now,
        reason: 'kicked-out',
        actor: 'an administrator',
      },
    ]);
    expect(seen.every(Object.isFrozen)).toBe(true);
  });

  test('deliver a rotation as one event, without session.ended and session.created', async () => {
    const { sessionId } = await shop.sessions.createSession('alice');
    const rotated = await bank.sessions.rotateSession(sessionId);
    await delivered();
    expect(seen.map(({ type }) => type)).toEqual(['session.created', 'session.rotated']);
    expect(seen[1]).toMatchObject({ sessionId, rotatedTo: rotated.sessionId, loginId: 'alice', by: 'bank' });
  });

  test('name the service on whose behalf the manager ended a session', async () => {
    const { sessionId } = await shop.sessions.createSession('alice');
    await shop.sessions.as({ serviceId: 'console', permissions: ['session.delete'] }).deleteSession(sessionId);
    await delivered();
    expect(seen.at(-1)).toMatchObject({
      type: 'session.ended',
      reason: 'logged-out',
      by: 'console',
      serviceId: 'shop',
    });
  });

  test('deliver each change of a service and its author', async () => {
    const gateway = { serviceId: 'gateway', serviceName: 'Gateway', permissions: [] };
    await bank.sessions.registerService(gateway);
    await bank.sessions.rotateServiceSecret('gateway');
    await bank.sessions.revokeService('gateway');
    await delivered();
    const event = { type: 'service.changed', serviceId: 'gateway', by: 'bank', at: clock.now() };
    const changes = ['registered', 'secret-added', 'revoked'];
    expect(seen).toEqual(changes.map((change) => ({ ...event, change })));
  });

  test('deliver each expiry once, after a sweep', async () => {
    const { sessionId } = await shop.sessions.createSession('alice', undefined, { idleTimeoutMs: 1_000 });
    clock.advance(5_000);
    await delivered();
    expect(seen.map(({ type }) => type)).toEqual(['session.created']);
    const sweeping = { serviceId: 'sweeper', storage, sweepIntervalMs: 1 };
    const ended = firstValueFrom(shop.sessions.events.on('session.ended'));
    await startSessionApp(makeAdapter, sweeping);
    expect(await ended).toMatchObject({ sessionId, reason: 'idle-timeout', by: '@expiry', at: clock.now() - 4_000 });
    await closeApps();
    expect(seen.filter(({ type }) => type === 'session.ended')).toHaveLength(1);
  });

  test('contain no token, digest, secret or attribute', async () => {
    const token = 'canary-token-of-the-caller';
    const attributes = { 'canary-key': 'canary-value', nested: { deep: ['canary-item'] } };
    const chosen = await shop.sessions.createSession('alice', token, {
      attributes,
      client: { userAgent: 'canary-agent' },
    });
    const generated = await shop.sessions.createSession('alice');
    await shop.sessions.setAttributes(chosen.sessionId, { set: { other: 'canary-other' }, remove: ['canary-key'] });
    const rotated = await shop.sessions.rotateSession(chosen.sessionId);
    const { secret } = await shop.sessions.registerService({
      serviceId: 'gw',
      serviceName: 'canary-name',
      permissions: [],
    });
    await shop.sessions.deleteAllSessions('alice');
    expect((await send(`${shop.url}/me`, bearer(generated.credential))).status).toBe(401);
    await delivered();
    const text = seen.map((event) => JSON.stringify(event) + inspect(event, { depth: null, showHidden: true })).join();
    expect(new Set(seen.map(({ type }) => type))).toEqual(
      new Set([
        'session.created',
        'session.updated',
        'session.rotated',
        'service.changed',
        'session.ended',
        'session.refused',
      ]),
    );
    expect(text).not.toContain('canary');
    const tokens = [token, generated.token, rotated.token, secret];
    const digests = tokens.flatMap((t) =>
      (['hex', 'base64', 'base64url'] as const).map((form) => sha256(t).toString(form)),
    );
    expect([...tokens, ...digests].filter((hidden) => text.includes(hidden))).toEqual([]);
  });

  test('can be filtered by type, and complete when the application closes', async () => {
    const events = shop.app.get(SessionEvents, { strict: false });
    const created: string[] = [];
    let isComplete = false;
    events.on('session.created').subscribe({
      next: ({ loginId }) => created.push(loginId),
      complete: () => (isComplete = true),
    });
    const { sessionId } = await shop.sessions.createSession('alice');
    await bank.sessions.deleteSession(sessionId);
    await delivered();
    expect([created, isComplete]).toEqual([['alice'], false]);
    await shop.app.close();
    expect(isComplete).toBe(true);
    await bank.sessions.createSession('bob');
    await delivered();
    expect(created).toEqual(['alice']);
  });
});

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Events are delivered in the microtask queue after their change, so one turn of the event loop is enough. */
async function delivered(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
