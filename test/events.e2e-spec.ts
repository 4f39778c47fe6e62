import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  InMemorySessionStorage,
  OnSessionEvent,
  OptionsError,
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

describe.each(ADAPTERS)('the events of sessions on %s', (_name, makeAdapter) => {
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

  test('tell which session, whose, what happened, at which version, by whom and when, also of another process', async () => {
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

  test('tell a rotation once, and neither an end nor a creation with it', async () => {
    const { sessionId } = await shop.sessions.createSession('alice');
    const rotated = await bank.sessions.rotateSession(sessionId);
    await delivered();
    expect(seen.map(({ type }) => type)).toEqual(['session.created', 'session.rotated']);
    expect(seen[1]).toMatchObject({ sessionId, rotatedTo: rotated.sessionId, loginId: 'alice', by: 'bank' });
  });

  test('tell who ended a session as whom the manager acts', async () => {
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

  test('tell of a service what was changed, and by whom', async () => {
    const gateway = { serviceId: 'gateway', serviceName: 'Gateway', permissions: [] };
    await bank.sessions.registerService(gateway);
    await bank.sessions.rotateServiceSecret('gateway');
    await bank.sessions.revokeService('gateway');
    await delivered();
    const change = { type: 'service.changed', serviceId: 'gateway', by: 'bank', at: clock.now() };
    expect(seen).toEqual(['registered', 'secret-added', 'revoked'].map((what) => ({ ...change, change: what })));
  });

  test('tell each expiry once, when a sweep has found it', async () => {
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

  test('hold no token, digest, secret or attribute', async () => {
    const token = 'canary-token-of-the-caller';
    const attributes = { 'canary-key': 'canary-value', nested: { deep: ['canary-item'] } };
    const own = await shop.sessions.createSession('alice', token, {
      attributes,
      client: { userAgent: 'canary-agent' },
    });
    const drawn = await shop.sessions.createSession('alice');
    await shop.sessions.setAttributes(own.sessionId, { set: { other: 'canary-other' }, remove: ['canary-key'] });
    const rotated = await shop.sessions.rotateSession(own.sessionId);
    const { secret } = await shop.sessions.registerService({
      serviceId: 'gw',
      serviceName: 'canary-name',
      permissions: [],
    });
    await shop.sessions.deleteAllSessions('alice');
    expect((await send(`${shop.url}/me`, bearer(drawn.credential))).status).toBe(401);
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
    const tokens = [token, drawn.token, rotated.token, secret];
    const digests = tokens.flatMap((t) =>
      (['hex', 'base64', 'base64url'] as const).map((form) => sha256(t).toString(form)),
    );
    expect([...tokens, ...digests].filter((hidden) => text.includes(hidden))).toEqual([]);
  });

  test('come by type, and end with the application', async () => {
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

describe('@OnSessionEvent()', () => {
  test('does not take a type that is no event, or none at all', () => {
    const decorate = OnSessionEvent as (...types: string[]) => unknown;
    expect(() => decorate('session.create')).toThrow(OptionsError);
    expect(() => decorate('session.created', 'toString')).toThrow(/'toString' is no event.*session\.created/s);
    expect(() => decorate()).toThrow(OptionsError);
  });

  test('is inherited by a class that extends the listener', async () => {
    const heard: string[] = [];
    class Listener {
      @OnSessionEvent('session.created')
      onCreated({ loginId }: { loginId: string }) {
        heard.push(`${this.constructor.name} ${loginId}`);
      }
    }
    @Injectable()
    class Auditor extends Listener {}
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const shop = await startSessionApp(ADAPTERS[0]![1], options, { providers: [Auditor] });
    await shop.sessions.createSession('alice');
    await delivered();
    expect(heard).toEqual(['Auditor alice']);
  });
});

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Events follow their step in the microtask queue: one turn of the event loop is after them. */
async function delivered(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
