import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Controller, Get, type INestApplication, UseGuards } from '@nestjs/common';
import { ApplicationConfig, ModuleRef, ModulesContainer } from '@nestjs/core';
import {
  AllowAnonymousService,
  CurrentSession,
  DistributedSessionManager,
  type DistributedSessionModuleOptions,
  DistributedSessionModule,
  InMemorySessionStorage,
  RESOLVED_OPTIONS,
  Secret,
  ServiceAuthGuard,
  type Session,
  SessionGuard,
  SessionStorage,
} from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { ADAPTERS } from './support/adapters.js';
import { dumpsOf, pathsOf } from './support/dumps.js';
import { closeApps, startApp } from './support/running-app.js';

/** Part of every secret below, and of nothing else. */
const CANARY = 'cAnArY';
const PEPPER = `${CANARY}-pepper-of-sixteen`;
/** Modules of Nest itself. */
const NEST = ['InternalCoreModule', 'DiscoveryModule'];
const PASSWORD = `${CANARY}-password`;

@UseGuards(ServiceAuthGuard, SessionGuard)
@Controller()
class ProfileController {
  @AllowAnonymousService()
  @Get('profile')
  profile(@CurrentSession() session: Session): string {
    return session.loginId;
  }
}

let redis: RedisServer;
let postgres: PostgresServer;

beforeAll(async () => {
  [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
  await redis.call('ACL', 'SETUSER', 'owner', 'on', '~*', '&*', '+@all', `>${PASSWORD}`);
  await postgres.query(`CREATE ROLE owner SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
});

afterEach(closeApps);

afterAll(async () => {
  await Promise.all([redis.stop(), postgres.stop()]);
});

const address = () => ({ host: postgres.host, port: postgres.port, user: 'owner', password: PASSWORD });

const STORAGES: readonly [string, () => SessionStorage][] = [
  ['InMemorySessionStorage', () => new InMemorySessionStorage()],
  [
    'RedisSessionStorage with a URL',
    () =>
      new RedisSessionStorage({
        url: `redis://owner:${PASSWORD}@127.0.0.1:${redis.port}`,
        tagKey: `${CANARY}-tag-key-16`,
      }),
  ],
  [
    'RedisSessionStorage with options',
    () =>
      new RedisSessionStorage({
        options: { port: redis.port, username: 'owner', password: PASSWORD },
        tagKey: Buffer.from(`${CANARY}-tag-key-16`),
      }),
  ],
  [
    'PostgresSessionStorage with a URL',
    () =>
      new PostgresSessionStorage({ url: `postgres://owner:${PASSWORD}@${postgres.host}:${postgres.port}/postgres` }),
  ],
  [
    'PostgresSessionStorage with options',
    () => new PostgresSessionStorage({ options: { ...address(), database: 'postgres' } }),
  ],
];

describe.each(STORAGES)('With %s, dumps', (_name, createStorage) => {
  const sessionOptions = (): DistributedSessionModuleOptions => ({
    serviceId: 'order',
    storage: createStorage(),
    secretPepper: PEPPER,
    tokenKey: [`${CANARY}-key-of-the-tokens-from-now-on`, `${CANARY}-key-of-the-tokens-until-now`],
  });

  const FORMS = [
    ['forRoot()', () => DistributedSessionModule.forRoot(sessionOptions())],
    ['forRootAsync()', () => DistributedSessionModule.forRootAsync({ useFactory: sessionOptions })],
  ] as const;

  test.each(FORMS)('of everything that %s provides contain no secret', async (_form, importModule) => {
    const { app, sessions, url } = await startApp(
      { imports: [importModule()], controllers: [ProfileController] },
      ADAPTERS[0]![1],
    );
    const issued = await busy(sessions, url);
    const storage = app.get(SessionStorage, { strict: false });
    const roots = [
      ...providersOf(app),
      sessions,
      sessions.as({ serviceId: 'cart', permissions: ['*'] }),
      sessions.events,
      storage,
      storage.services,
      app.get<object>(RESOLVED_OPTIONS, { strict: false }),
      ...issued,
    ];
    expect(roots.length).toBeGreaterThan(15);
    for (const root of roots) expect(leaksOf(root, secretsOf(issued))).toEqual([]);
    expect(pathsOf(secretsOf(issued), app.get(ModulesContainer))).toEqual([]);
  });
});

test('A Secret returns its value from reveal() alone', () => {
  for (const value of [`${CANARY} text`, Buffer.from(CANARY), [CANARY], { [CANARY]: CANARY }]) {
    const secret = new Secret<unknown>(value);
    expect(secret.reveal()).toBe(value);
    for (const root of [
      secret,
      [secret],
      { secret },
      new Map([['secret', secret]]),
      new Error('', { cause: secret }),
    ]) {
      expect(leaksOf(root)).toEqual([]);
    }
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
    expect(String(secret)).toBe('[secret]');
  }
});

/** Everything that holds a secret for a moment: issued credentials, verified ones, caches and pending writes. */
async function busy(sessions: DistributedSessionManager, url: string) {
  const session = await sessions.createSession('alice', `${CANARY}-token-of-22-characters`);
  const rotated = await sessions.rotateSession(session.sessionId);
  const attributes = { role: `${CANARY} value` };
  const other = await sessions.createSession('bob', undefined, { attributes });
  const service = await sessions.registerService(
    { serviceId: 'cart', serviceName: 'Cart', permissions: ['*'], secretKey: `${CANARY}-chosen-secret` },
    { replace: true },
  );
  const generated = await sessions.rotateServiceSecret('cart');
  for (const { secret } of [service, generated]) await sessions.verifyService('cart', secret);
  for (const { credential } of [rotated, other]) {
    const answer = await fetch(`${url}/profile`, { headers: { authorization: `Bearer ${credential}` } });
    expect(answer.status).toBe(200);
    await answer.text();
  }
  await sessions.setAttribute(rotated.sessionId, 'role', `${CANARY} value`);
  return [session, rotated, service, generated];
}

function secretsOf(issued: readonly object[]): string[] {
  const named = issued.flatMap((one) => ['token', 'secret'].map((name) => (one as Record<string, string>)[name]));
  return [CANARY, ...named.filter((secret) => secret !== undefined)];
}

/** The instances of all providers and controllers, without those of Nest, from which everything can be reached. */
function providersOf(app: INestApplication): unknown[] {
  const own = [...app.get(ModulesContainer).values()].filter(({ name }) => !NEST.includes(name));
  return own
    .flatMap(({ providers, controllers }) => [...providers.values(), ...controllers.values()])
    .map(({ instance }) => instance)
    .filter((instance) => !(instance instanceof ModuleRef || instance instanceof ApplicationConfig));
}

/** The dumps, and the paths below `root`, that contain a secret. */
function leaksOf(root: unknown, secrets: readonly string[] = [CANARY]): string[] {
  const dumps = Object.entries(dumpsOf(root)).filter(([, dump]) => secrets.some((canary) => dump.includes(canary)));
  return [...dumps.map(([name]) => name), ...pathsOf(secrets, root)];
}
