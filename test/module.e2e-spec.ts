import { Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionManager,
  DistributedSessionModule,
  type DistributedSessionModuleOptions,
  InMemorySessionStorage,
  OptionsError,
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
class SettledStorage extends InMemorySessionStorage {
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

/** The manager of an application that consists of this module and the settings. */
async function managerOf(imported: NonNullable<ModuleMetadata['imports']>[number], metadata: ModuleMetadata = {}) {
  const app = await init({ ...metadata, imports: [imported, SettingsModule] });
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
  ])('takes its options through %s', async (_how, make) => {
    const sessions = await managerOf(make());
    const { serviceId, createdAt, expiresAt } = await sessions.createSession('alice');
    expect([serviceId, expiresAt - createdAt]).toEqual([SERVICE_ID, 5 * MINUTE]);
  });

  const clock = new FakeClock(Date.UTC(2040, 0, 1));

  test.each<[string, StorageSource]>([
    ['an instance', new InMemorySessionStorage({ clock })],
    ['a function', () => new InMemorySessionStorage({ clock })],
    ['an async function', async () => Promise.resolve(new InMemorySessionStorage({ clock }))],
  ])('takes as the storage %s', async (_what, storage) => {
    const sessions = await managerOf(DistributedSessionModule.forRoot({ serviceId: 'shop', storage }));
    expect((await sessions.createSession('alice')).createdAt).toBe(clock.now());
  });

  test('takes as the storage a class, and injects what it needs', async () => {
    @Module({ imports: [SettingsModule], exports: [SettingsModule] })
    class GlobalSettings {
      constructor(readonly settings: Settings) {}
    }
    const imports = [{ module: GlobalSettings, global: true }];
    const options = { serviceId: 'shop', storage: SettledStorage };
    const app = await init({ imports: [...imports, DistributedSessionModule.forRoot(options)] });
    const storage = app.get(SessionStorage, { strict: false });
    expect(storage).toBeInstanceOf(SettledStorage);
    const { createdAt } = await app.get(DistributedSessionManager, { strict: false }).createSession('alice');
    expect(createdAt).toBe(app.get(Settings, { strict: false }).clock.now());
    expect((storage as SettledStorage).settings).toBe(app.get(Settings, { strict: false }));
  });

  test('provides the manager, its storage, the storage of services and the events', async () => {
    const storage = new InMemorySessionStorage();
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'shop', storage });
    const app = await init({ imports: [sessions], providers: [Greeter] });
    const greeter = app.get(Greeter);
    expect(greeter.storage).toBe(storage);
    expect(greeter.services).toBe(storage.services);
    expect(greeter.events).toBe(greeter.sessions.events);
  });

  test('is seen by modules that do not import it only if it is global', async () => {
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

describe('bad options of DistributedSessionModule', () => {
  const bad = {
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
  ])('stop the start through %s with one error that names every invalid option', async (_how, importsOf) => {
    const given = bad as unknown as DistributedSessionModuleOptions;
    const error: unknown = await init({ imports: importsOf(given) }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionsError);
    const { code, errors, message } = error as OptionsError;
    expect(code).toBe('ERR_OPTIONS');
    for (const name of Object.keys(bad)) {
      const named = [`${name} `, `Unknown option "${name}"`];
      expect(errors.filter((text) => named.some((start) => text.startsWith(start)))).toHaveLength(1);
      expect(message).toContain(name);
    }
    expect(errors).toContain('Unknown option "idleTimeout". Did you mean "idleTimeoutMs"?');
    expect(message).not.toContain('salt');
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a class that is no storage', Settings],
    ['a function that makes none', () => ({})],
  ])('stop the start with %s as the storage', async (_what, storage) => {
    const options = { serviceId: 'shop', storage } as DistributedSessionModuleOptions;
    await expect(init({ imports: [DistributedSessionModule.forRoot(options)] })).rejects.toMatchObject({
      code: 'ERR_OPTIONS',
      errors: [expect.stringContaining('new InMemorySessionStorage()')],
    });
  });

  test('stop the start with the error of the function that was to make the storage', async () => {
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage: failToMake })];
    await expect(init({ imports })).rejects.toThrow('no such host');
  });
});

function failToMake(): Promise<SessionStorage> {
  return Promise.reject(new Error('no such host'));
}
