import { type INestApplication, Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionManager,
  DistributedSessionModule,
  type DistributedSessionModuleOptions,
  InMemorySessionStorage,
  SessionEvents,
  SessionStorage,
  type StorageSource,
} from 'nestjs-distributed-session';
import { ServiceCredentialStorage } from 'nestjs-distributed-session/storage';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { ADAPTERS } from './support/adapters.js';
import { closeApps, makeApp } from './support/running-app.js';

const MINUTE = 60_000;
const SERVICE_ID = 'settings-service';

@Injectable()
class Settings {
  readonly serviceId = SERVICE_ID;
  readonly clock = new FakeClock();
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {
  constructor(readonly settings: Settings) {}
}

@Injectable()
class SettingsStorage extends InMemorySessionStorage {
  constructor(readonly settings: Settings) {
    super({ clock: settings.clock });
  }
}

@Injectable()
class OptionsFromSettings {
  constructor(readonly settings: Settings) {}

  create(): DistributedSessionModuleOptions {
    const { serviceId, clock } = this.settings;
    return { serviceId, storage: new InMemorySessionStorage({ clock }), idleTimeoutMs: 5 * MINUTE };
  }
}

@Module({ imports: [SettingsModule], providers: [OptionsFromSettings], exports: [OptionsFromSettings] })
class OptionsModule {
  constructor(readonly options: OptionsFromSettings) {}
}

@Injectable()
class Greeter {
  constructor(
    readonly sessions: DistributedSessionManager,
    readonly storage: SessionStorage,
    readonly services: ServiceCredentialStorage,
    readonly events: SessionEvents,
  ) {}
}

@Module({ providers: [Greeter], exports: [Greeter] })
class GreeterModule {
  constructor(readonly greeter: Greeter) {}
}

afterEach(closeApps);

async function init(metadata: ModuleMetadata) {
  const app = await makeApp(metadata, ADAPTERS[0]![1]);
  return app.init();
}

/** Starts an application with this module and the settings, and returns its manager. */
async function managerOf(imported: NonNullable<ModuleMetadata['imports']>[number]) {
  const app = await init({ imports: [imported, SettingsModule] });
  return app.get(DistributedSessionManager, { strict: false });
}

describe('DistributedSessionModule', () => {
  test.each<[string, () => NonNullable<ModuleMetadata['imports']>[number]]>([
    [
      'forRoot()',
      () => {
        const storage = new InMemorySessionStorage();
        return DistributedSessionModule.forRoot({ serviceId: SERVICE_ID, storage, idleTimeoutMs: 5 * MINUTE });
      },
    ],
    [
      'useFactory with inject',
      () =>
        DistributedSessionModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: async ({ serviceId }: Settings) => ({
            serviceId,
            storage: new InMemorySessionStorage(),
            idleTimeoutMs: 5 * MINUTE,
          }),
        }),
    ],
    [
      'useClass',
      () => DistributedSessionModule.forRootAsync({ imports: [SettingsModule], useClass: OptionsFromSettings }),
    ],
    [
      'useExisting',
      () => DistributedSessionModule.forRootAsync({ imports: [OptionsModule], useExisting: OptionsFromSettings }),
    ],
  ])('accepts its options through %s', async (_how, make) => {
    const sessions = await managerOf(make());
    const { serviceId, createdAt, expiresAt } = await sessions.createSession('alice');
    expect([serviceId, expiresAt - createdAt]).toEqual([SERVICE_ID, 5 * MINUTE]);
  });

  const clock = new FakeClock(Date.UTC(2040, 0, 1));

  test.each<[string, StorageSource]>([
    ['an instance', new InMemorySessionStorage({ clock })],
    ['a function', () => new InMemorySessionStorage({ clock })],
    ['an async function', async () => Promise.resolve(new InMemorySessionStorage({ clock }))],
  ])('accepts %s as the storage', async (_what, storage) => {
    const sessions = await managerOf(DistributedSessionModule.forRoot({ serviceId: 'shop', storage }));
    expect((await sessions.createSession('alice')).createdAt).toBe(clock.now());
  });

  test('accepts a class as the storage, and injects its dependencies', async () => {
    @Module({ imports: [SettingsModule], exports: [SettingsModule] })
    class GlobalSettings {
      constructor(readonly settings: Settings) {}
    }
    const imports = [{ module: GlobalSettings, global: true }];
    const options = { serviceId: 'shop', storage: SettingsStorage };
    const app = await init({ imports: [...imports, DistributedSessionModule.forRoot(options)] });
    const storage = app.get(SessionStorage, { strict: false });
    expect(storage).toBeInstanceOf(SettingsStorage);
    const { createdAt } = await app.get(DistributedSessionManager, { strict: false }).createSession('alice');
    expect(createdAt).toBe(app.get(Settings, { strict: false }).clock.now());
    expect((storage as SettingsStorage).settings).toBe(app.get(Settings, { strict: false }));
  });

  test('provides the manager, the storage, the service storage and the events', async () => {
    const storage = new InMemorySessionStorage();
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'shop', storage });
    const app = await init({ imports: [sessions], providers: [Greeter] });
    const greeter = app.get(Greeter);
    expect(greeter.storage).toBe(storage);
    expect(greeter.services).toBe(storage.services);
    expect(greeter.events).toBe(greeter.sessions.events);
  });

  test('is available to modules that do not import it only if it is global', async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const useFactory = () => options;
    for (const global of [
      DistributedSessionModule.forRoot({ ...options, isGlobal: true }),
      DistributedSessionModule.forRootAsync({ useFactory, isGlobal: true }),
    ]) {
      const app = await init({ imports: [global, GreeterModule] });
      expect(app.get(Greeter, { strict: false }).storage).toBe(options.storage);
    }
    for (const local of [
      DistributedSessionModule.forRoot(options),
      DistributedSessionModule.forRootAsync({ useFactory }),
    ]) {
      await expect(init({ imports: [local, GreeterModule] })).rejects.toThrow(/can't resolve dependencies/);
    }
  });
});

describe('A test', () => {
  let app: INestApplication | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  async function initWith(token: typeof DistributedSessionManager | typeof SessionStorage, replacement: unknown) {
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'svc', storage: new InMemorySessionStorage() })];
    const builder = Test.createTestingModule({ imports }).overrideProvider(token).useValue(replacement);
    app = (await builder.compile()).createNestApplication();
    return app.init();
  }

  test('can override the manager with an incomplete stub, and the application still starts and stops', async () => {
    const manager = { getSession: () => Promise.resolve({ loginId: 'alice' }) };
    const initialized = await initWith(DistributedSessionManager, manager);
    expect(initialized.get(DistributedSessionManager)).toBe(manager);
    expect(initialized.get(SessionEvents).all).toBeDefined();
  });

  test('can override the storage, and the manager uses it', async () => {
    const storage = new InMemorySessionStorage();
    const initialized = await initWith(SessionStorage, storage);
    await initialized.get(DistributedSessionManager).createSession('alice');
    expect(await storage.count()).toEqual({ sessions: 1, logins: 1 });
  });
});
