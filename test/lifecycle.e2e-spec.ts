import { Controller, Get, type ModuleMetadata, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  DistributedSessionManager,
  DistributedSessionModule,
  type DistributedSessionModuleOptions,
  InMemorySessionStorage,
  OptionsError,
  type Session,
  SessionGuard,
  type SessionStorage,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { ADAPTERS } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, makeApp, startSessionApp } from './support/running-app.js';
import { WatchedStorage } from './support/watched-storage.js';

@Controller()
class ProfileController {
  @Get('me')
  @UseGuards(SessionGuard)
  me(@CurrentSession() { loginId }: Session) {
    return { loginId };
  }
}

class NotAStorage {
  readonly sessions = [];
}

afterEach(closeApps);

describe.each(ADAPTERS)('An application on %s', (_name, makeAdapter) => {
  let clock: FakeClock;
  let storage: WatchedStorage;

  beforeEach(() => {
    clock = new FakeClock();
    storage = new WatchedStorage({ clock });
  });

  test('connects its storage once when it starts, and closes it once when it stops', async () => {
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage })];
    const app = await makeApp({ imports }, makeAdapter);
    expect(storage.calls).toEqual([]);
    await app.init();
    // The services are read once, to report secrets that this process cannot verify.
    const started = ['connect', 'services.list', 'services.list done'];
    expect(storage.calls).toEqual(started);
    await app.close();
    expect(storage.calls).toEqual([...started, 'close']);
    await expect(app.get(DistributedSessionManager, { strict: false }).countSessions()).rejects.toBeInstanceOf(
      StorageUnavailableError,
    );
  });

  test('does not start if its storage cannot be connected', async () => {
    class UnreachableStorage extends InMemorySessionStorage {
      override async connect(): Promise<void> {
        throw new StorageUnavailableError();
      }
    }
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new UnreachableStorage() })];
    const app = await makeApp({ imports }, makeAdapter);
    await expect(app.init()).rejects.toBeInstanceOf(StorageUnavailableError);
  });

  test('writes pending touches before it closes the storage', async () => {
    const options = { serviceId: 'shop', storage, touchIntervalMs: 1 };
    const shop = await startSessionApp(makeAdapter, options, { controllers: [ProfileController] });
    const { credential } = await shop.sessions.createSession('alice');
    const release = storage.hold('touch');
    clock.advance(1_000);
    expect((await send(`${shop.url}/me`, bearer(credential))).status).toBe(200);
    const closing = shop.app.close();
    await settled();
    expect(storage.calls).not.toContain('close');
    release();
    await closing;
    expect(storage.calls.slice(-2)).toEqual(['touch done', 'close']);
  });

  test('completes writes in flight before it closes the storage', async () => {
    const shop = await startSessionApp(makeAdapter, { serviceId: 'shop', storage });
    const { sessionId } = await shop.sessions.createSession('alice');
    const release = storage.hold('replace');
    const written = shop.sessions.setAttribute(sessionId, 'role', 'admin');
    const closing = shop.app.close();
    await settled();
    expect(storage.calls).not.toContain('close');
    release();
    expect((await written).attributes).toEqual({ role: 'admin' });
    await closing;
    expect(storage.calls.slice(-2)).toEqual(['replace done', 'close']);
  });
});

describe('DistributedSessionModule', () => {
  const invalid = {
    serviceId: '',
    storage: {},
    idleTimeoutMs: Number.NaN,
    absoluteTimeoutMs: -1,
    maxSessionsPerLogin: 1_001,
    onLimit: 'ignore',
    timeoutPreset: 'aal4',
    sessionCookieName: 'no cookie',
    sessionCarriers: [],
    serviceCarriers: ['basic', 'query'],
    attributeLimits: { maxKeys: 0 },
    secretPepper: 'salt',
    idleTimeout: 5,
  };

  test.each<[string, (given: DistributedSessionModuleOptions) => ModuleMetadata['imports']]>([
    ['forRoot()', (given) => [DistributedSessionModule.forRoot(given)]],
    ['forRootAsync()', (given) => [DistributedSessionModule.forRootAsync({ useFactory: () => given })]],
  ])('reports every invalid option of %s in one error at startup', async (_how, importsOf) => {
    const given = invalid as unknown as DistributedSessionModuleOptions;
    const error: unknown = await init(importsOf(given)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionsError);
    const { code, errors, message } = error as OptionsError;
    expect(code).toBe('ERR_OPTIONS');
    for (const name of Object.keys(invalid)) {
      const named = [`${name} `, `Unknown option "${name}"`];
      expect(errors.filter((text) => named.some((start) => text.startsWith(start)))).toHaveLength(1);
      expect(message).toContain(name);
    }
    expect(errors).toContain('Unknown option "idleTimeout". Did you mean "idleTimeoutMs"?');
    expect(message).not.toContain('salt');
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a class that is not a storage', NotAStorage],
    ['a function that returns no storage', () => ({})],
  ])('rejects %s as the storage at startup', async (_what, storage) => {
    const options = { serviceId: 'shop', storage } as DistributedSessionModuleOptions;
    await expect(init([DistributedSessionModule.forRoot(options)])).rejects.toMatchObject({
      code: 'ERR_OPTIONS',
      errors: [expect.stringContaining('new InMemorySessionStorage()')],
    });
  });

  test('rethrows the error of a storage function at startup', async () => {
    const options = { serviceId: 'shop', storage: rejectingSource };
    await expect(init([DistributedSessionModule.forRoot(options)])).rejects.toThrow('unknown host');
  });
});

async function init(imports: ModuleMetadata['imports']): Promise<unknown> {
  const app = await makeApp({ imports }, ADAPTERS[0]![1]);
  return app.init();
}

function rejectingSource(): Promise<SessionStorage> {
  return Promise.reject(new Error('unknown host'));
}

/** Runs everything that can run without the calls that are held. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
