import { type DynamicModule, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  type ResolvedOptions,
  SessionEvents,
  SessionStorage,
  getDistributedSessionManagerToken,
  getResolvedOptionsToken,
} from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { Pool } from 'pg';
import { ADAPTERS } from './support/adapters.js';
import { closeApps, makeApp } from './support/running-app.js';
import { faultsOf } from './support/startup-faults.js';
import { WatchedStorage } from './support/watched-storage.js';

type Given = Parameters<typeof DistributedSessionModule.forRoot>[0];

const { forRoot, forRootAsync } = {
  forRoot: (given: Partial<Given> = {}) =>
    DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage(), ...given }),
  forRootAsync: (given: Partial<Given> = {}) => {
    const { name, ...options } = given;
    const useFactory = () => ({ serviceId: 'shop', storage: new InMemorySessionStorage(), ...options });
    return DistributedSessionModule.forRootAsync({ name, useFactory });
  },
};

const redis = (url: string, keyPrefix?: string) =>
  new RedisSessionStorage({ url, ...(keyPrefix !== undefined && { keyPrefix }) });
const postgres = (url: string, schema = 'public') => new PostgresSessionStorage({ url, schema });
const pool = new Pool({ host: '127.0.0.1', port: 5432, database: 'shop', user: 'ann' });

async function faultsWith(imports: DynamicModule[]): Promise<readonly string[]> {
  return faultsOf(await makeApp({ imports }, ADAPTERS[0]![1]));
}

afterEach(closeApps);

describe('An application does not start', () => {
  test.each<[string, () => DynamicModule[], RegExp]>([
    ['without a name', () => [forRoot(), forRoot()], /^two modules have no name: .*name: 'admins'.*isGlobal/],
    ['without a name, one of them by forRootAsync()', () => [forRootAsync(), forRoot()], /^two modules have no name/],
    [
      'with the same name',
      () => [forRoot({ name: 'admins' }), forRootAsync({ name: 'admins' })],
      /^two modules have the name "admins": /,
    ],
  ])('with two modules %s', async (_what, make, fault) => {
    expect(await faultsWith(make())).toEqual([expect.stringMatching(fault)]);
  });

  test.each(['reference', 'deep-hash'] as const)(
    'with two modules whose options are equal, if Nest compares modules by %s',
    async (moduleIdGeneratorAlgorithm) => {
      const storage = new WatchedStorage();
      const options = { serviceId: 'shop', storage };
      const imports = [DistributedSessionModule.forRoot(options), DistributedSessionModule.forRoot(options)];
      const builder = Test.createTestingModule({ imports }, { moduleIdGeneratorAlgorithm });
      const app = (await builder.compile()).createNestApplication();
      expect(await faultsOf(app)).toEqual([expect.stringMatching(/^two modules have no name/)]);
      expect(storage.calls).toEqual([]);
    },
  );

  const shared = new InMemorySessionStorage();

  test.each<[string, () => SessionStorage, () => SessionStorage, RegExp]>([
    ['one storage', () => shared, () => shared, /have the same storage: create one for each\.$/],
    [
      'one Redis server and key prefix',
      () => redis('redis://localhost:6379'),
      () => redis('redis://user:CANARY@127.0.0.1/0'),
      /use the same store, keyPrefix "ds" of localhost:6379, .* another keyPrefix/,
    ],
    [
      'one set of Sentinels, master and key prefix',
      () => redis('redis-sentinel://a:1,b:2/3?name=main', 'x'),
      () => redis('redis-sentinel://b:2,a:1/3?name=main', 'x'),
      /keyPrefix "x" in database 3 of main of a:1,b:2/,
    ],
    [
      'one database and tables',
      () => postgres('postgres://ann:CANARY@localhost/shop'),
      () => new PostgresSessionStorage({ pool }),
      /schema "public" and tablePrefix "distributed_" of localhost:5432\/shop/,
    ],
  ])('with two modules on %s', async (_what, first, second, fault) => {
    const faults = await faultsWith([forRoot({ storage: first() }), forRoot({ name: 'admins', storage: second() })]);
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults[0]).toMatch(/^the module without a name and the module "admins" /);
    expect(faults[0]).not.toContain('CANARY');
  });

  test.each([
    ['equal cookie names', 'sid', 'sid', /use the cookie sid: set another sessionCookieName/],
    ['cookie names that no guard can tell apart', '__Host-a-b', '__Host-ab', /the cookies __Host-a-b and __Host-ab/],
    ['the default name of another cookie', '__Host-session-x', undefined, /use the cookie __Host-session-x/],
  ])('with two modules that have %s', async (_what, first, second, fault) => {
    const imports = [
      forRoot({ sessionCookieName: first }),
      forRoot({ name: 'x', ...(second && { sessionCookieName: second }) }),
    ];
    expect(await faultsWith(imports)).toEqual([expect.stringMatching(fault)]);
  });

  test('and reports every pair that collides', async () => {
    const imports = [
      forRoot(),
      forRoot({ name: 'a', storage: shared }),
      forRoot({ name: 'b', storage: shared }),
      forRoot(),
    ];
    expect(await faultsWith(imports)).toEqual([
      expect.stringMatching(/^two modules have no name/),
      expect.stringMatching(/^the module "a" and the module "b" have the same storage/),
    ]);
  });

  test.each(['', 'default', 'a b', '-a', 'x'.repeat(65), 7 as unknown as string])('with the name %j', (name) => {
    expect(() => forRoot({ name })).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }));
    expect(() => forRootAsync({ name })).toThrow(/name must/);
  });

  test.each(['name', 'isGlobal'])('with %s among the options of a factory', async (key) => {
    const useFactory = () => ({ serviceId: 'shop', storage: new InMemorySessionStorage(), [key]: 'x' });
    const app = makeApp({ imports: [DistributedSessionModule.forRootAsync({ useFactory })] }, ADAPTERS[0]![1]);
    await expect(app).rejects.toThrow(`${key} cannot come from a factory: set it beside the factory`);
  });
});

describe('An application starts', () => {
  test.each<[string, Partial<Given>, Partial<Given>]>([
    ['two names', { name: 'a' }, { name: 'b' }],
    [
      'one cookie name, where one of the modules reads no cookie',
      { sessionCookieName: 'sid' },
      { name: 'b', sessionCookieName: 'sid', sessionCarriers: ['bearer'] },
    ],
    ['names that differ only in case', { name: 'a' }, { name: 'A', sessionCookieName: 'other' }],
  ])('with two modules that have %s', async (_what, first, second) => {
    const app = await makeApp({ imports: [forRoot(first), forRoot(second)] }, ADAPTERS[0]![1]);
    await expect(app.init()).resolves.toBeDefined();
  });

  test('with one module that several modules import', async () => {
    const sessions = forRoot();
    @Module({ imports: [sessions] })
    class Feature {
      constructor(readonly manager: DistributedSessionManager) {}
    }
    const app = await makeApp({ imports: [Feature, sessions] }, ADAPTERS[0]![1]);
    await app.init();
    expect(app.get(Feature).manager).toBe(app.get(DistributedSessionManager, { strict: false }));
  });
});

describe('The location of two storages', () => {
  test.each<[string, SessionStorage, SessionStorage]>([
    ['key prefixes', redis('redis://localhost', 'a'), redis('redis://localhost', 'b')],
    ['databases', redis('redis://localhost/1'), redis('redis://localhost/2')],
    ['ports', redis('redis://localhost:1'), redis('redis://localhost:2')],
    ['schemas', postgres('postgres://localhost/a'), postgres('postgres://localhost/a', 'other')],
    ['database names', postgres('postgres://localhost/a'), postgres('postgres://localhost/b')],
  ])('differs with their %s', (_what, first, second) => {
    expect(first.location).toBeDefined();
    expect(first.location).not.toEqual(second.location);
  });
});

describe('A named module', () => {
  @Injectable()
  class NeedsDefaults {
    constructor(
      readonly manager: DistributedSessionManager,
      readonly events: SessionEvents,
    ) {}
  }

  test('provides nothing under the tokens of the module without a name', async () => {
    const app = await makeApp({ imports: [forRoot({ name: 'admins', isGlobal: true })] }, ADAPTERS[0]![1]);
    await app.init();
    const get = (token: Parameters<typeof app.get>[0]) => () => app.get(token, { strict: false });
    for (const token of [DistributedSessionManager, SessionEvents, SessionStorage, getResolvedOptionsToken()]) {
      expect(get(token)).toThrow(/could not find/);
    }
    expect(get(getDistributedSessionManagerToken('admins'))()).toBeInstanceOf(DistributedSessionManager);
    const injecting = makeApp({ imports: [forRoot({ name: 'admins' })], providers: [NeedsDefaults] }, ADAPTERS[0]![1]);
    await expect(injecting).rejects.toThrow(/can't resolve dependencies of the NeedsDefaults/);
  });

  test('has a cookie of its own by default, and the module without a name keeps the usual one', async () => {
    const app = await makeApp({ imports: [forRoot(), forRoot({ name: 'admins' })] }, ADAPTERS[0]![1]);
    const nameIn = (name?: string): unknown =>
      app.get<ResolvedOptions>(getResolvedOptionsToken(name), { strict: false }).sessionCookieName;
    expect([nameIn(), nameIn('admins')]).toEqual(['__Host-session', '__Host-session-admins']);
  });
});
