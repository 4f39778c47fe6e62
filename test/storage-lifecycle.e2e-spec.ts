import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  type IssuedSession,
  type Session,
  SessionGuard,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { ADAPTERS } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { type RunningApp, closeApps, makeApp, startSessionApp } from './support/running-app.js';
import { WatchedStorage } from './support/watched-storage.js';

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
  me(@CurrentSession() { loginId, serviceId }: Session) {
    return { loginId, serviceId };
  }

  @Post('logout')
  @UseGuards(SessionGuard)
  async logout(@CurrentSession() { sessionId }: Session) {
    return { ended: await this.sessions.deleteSession(sessionId) };
  }
}

const controllers = [AccountController];

afterEach(closeApps);

describe.each(ADAPTERS)('the storage of an application on %s', (_name, makeAdapter) => {
  let clock: FakeClock;
  let storage: WatchedStorage;

  beforeEach(() => {
    clock = new FakeClock();
    storage = new WatchedStorage({ clock });
  });

  test('is connected once when it starts, and closed once when it ends', async () => {
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage })];
    const app = await makeApp({ imports }, makeAdapter);
    expect(storage.calls).toEqual([]);
    await app.init();
    expect(storage.calls).toEqual(['connect']);
    await app.close();
    expect(storage.calls).toEqual(['connect', 'close']);
    await expect(app.get(DistributedSessionManager, { strict: false }).countSessions()).rejects.toBeInstanceOf(
      StorageUnavailableError,
    );
  });

  test('stops the start when it cannot be connected', async () => {
    class UnreachableStorage extends InMemorySessionStorage {
      override async connect(): Promise<void> {
        throw new StorageUnavailableError();
      }
    }
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new UnreachableStorage() })];
    const app = await makeApp({ imports }, makeAdapter);
    await expect(app.init()).rejects.toBeInstanceOf(StorageUnavailableError);
  });

  test('is closed only when the accesses that were noted are written', async () => {
    const shop = await startSessionApp(
      makeAdapter,
      { serviceId: 'shop', storage, touchIntervalMs: 1 },
      { controllers },
    );
    const { credential } = await shop.sessions.createSession('alice');
    const touched = hold(storage, 'touch');
    clock.advance(1_000);
    expect((await send(`${shop.url}/me`, bearer(credential))).status).toBe(200);
    const closing = shop.app.close();
    await turns();
    expect(storage.calls).not.toContain('close');
    touched.release();
    await closing;
    expect(storage.calls.slice(-2)).toEqual(['touch done', 'close']);
  });

  test('is closed only when the attributes that are being written are written', async () => {
    const shop = await startSessionApp(makeAdapter, { serviceId: 'shop', storage });
    const { sessionId } = await shop.sessions.createSession('alice');
    const replaced = hold(storage, 'replace');
    const written = shop.sessions.setAttribute(sessionId, 'role', 'admin');
    const closing = shop.app.close();
    await turns();
    expect(storage.calls).not.toContain('close');
    replaced.release();
    expect((await written).attributes).toEqual({ role: 'admin' });
    await closing;
    expect(storage.calls.slice(-2)).toEqual(['replace done', 'close']);
  });
});

describe.each(ADAPTERS)('two services on one storage, on %s', (_name, makeAdapter) => {
  let shop: RunningApp;
  let bank: RunningApp;
  let alice: Pick<IssuedSession, 'sessionId' | 'credential'>;

  beforeEach(async () => {
    const storage = new InMemorySessionStorage();
    shop = await startSessionApp(makeAdapter, { serviceId: 'shop', storage }, { controllers });
    bank = await startSessionApp(makeAdapter, { serviceId: 'bank', storage }, { controllers });
    alice = (await send(`${shop.url}/login`, {}, 'POST')).json as typeof alice;
  });

  test('know a user who logged in at the other one', async () => {
    const answer = await send(`${bank.url}/me`, bearer(alice.credential));
    expect(answer.json).toEqual({ loginId: 'alice', serviceId: 'shop' });
  });

  test('share attributes, and keep each other’s', async () => {
    await Promise.all([
      shop.sessions.setAttribute(alice.sessionId, 'cart', ['tea']),
      bank.sessions.setAttribute(alice.sessionId, 'iban', 'GB00'),
    ]);
    for (const { sessions } of [shop, bank]) {
      expect((await sessions.getSession(alice.sessionId)).attributes).toEqual({ cart: ['tea'], iban: 'GB00' });
    }
  });

  test('refuse a user who logged out at the other one, and tell why', async () => {
    expect((await send(`${bank.url}/me`, bearer(alice.credential))).status).toBe(200);
    expect((await send(`${shop.url}/logout`, bearer(alice.credential), 'POST')).json).toEqual({ ended: true });
    const answer = await send(`${bank.url}/me`, bearer(alice.credential));
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'logged-out' });
  });

  test('go on when the other one is closed', async () => {
    await shop.app.close();
    expect((await send(`${bank.url}/me`, bearer(alice.credential))).json).toMatchObject({ loginId: 'alice' });
    expect((await send(`${bank.url}/login`, {}, 'POST')).status).toBe(201);
    expect(await bank.sessions.countSessions('alice')).toBe(2);
  });

  test('share the registered services, and see a revocation by the other one at once', async () => {
    const gateway = { serviceId: 'gateway', serviceName: 'Gateway', permissions: ['session.read'] };
    const { secret } = await shop.sessions.registerService(gateway);
    expect((await bank.sessions.verifyService('gateway', secret)).permissions).toEqual(['session.read']);
    await shop.sessions.revokeService('gateway');
    await expect(bank.sessions.verifyService('gateway', secret)).rejects.toMatchObject({
      code: 'ERR_SERVICE_AUTHENTICATION',
    });
  });
});

/** Keeps the calls of one method waiting until they are released. */
function hold(storage: WatchedStorage, name: string): { release: () => void } {
  let release!: () => void;
  storage.held.set(name, new Promise((resolve) => (release = resolve)));
  return { release };
}

/** Lets everything run that can run without the calls that are held. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
