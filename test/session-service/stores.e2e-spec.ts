import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BuiltProgram } from '../support/built-program.js';
import { basic } from '../support/credential-headers.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { PooledPostgres } from '../support/postgres/pooled-postgres.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { clientOf } from '../support/service-client.js';

const ADMIN_SECRET = 'the-secret-of-the-administrator';
const headers = basic('admin', ADMIN_SECRET);

/** The storages that session services can share, and the options that separate unrelated sessions there. */
const STORES = {
  Redis: {
    // Without it, a restart of Redis would lose the registered services, including the administrator.
    start: async () => RedisServer.start({ settings: { appendonly: 'yes', appendfsync: 'always' } }),
    variables: { SESSION_STORAGE: 'redis' },
    elsewhere: { SESSION_STORAGE_KEY_PREFIX: 'elsewhere' },
  },
  PostgreSQL: {
    start: async () => PostgresServer.start(),
    variables: { SESSION_STORAGE: 'postgres' },
    elsewhere: { SESSION_STORAGE_SCHEMA: 'elsewhere', SESSION_STORAGE_TABLE_PREFIX: 'other_' },
  },
  PgBouncer: {
    start: async () => PooledPostgres.start(),
    variables: { SESSION_STORAGE: 'postgres' },
    elsewhere: { SESSION_STORAGE_SCHEMA: 'elsewhere' },
  },
} as const;

/** How the service receives changes, if not through the URL. */
function feedOf(store: object): Record<string, string> {
  return store instanceof PooledPostgres ? { SESSION_STORAGE_FEED_URL: store.feedUrl } : {};
}

const started: BuiltProgram[] = [];

interface RunningProgram {
  readonly url: string;
  readonly program: BuiltProgram;
}

interface Session {
  readonly sessionId: string;
  readonly credential: string;
}

describe.each(['Redis', 'PostgreSQL', 'PgBouncer'] as const)('On %s, the built service', (name) => {
  const { variables: kind, elsewhere: otherPlace } = STORES[name];
  let store: RedisServer | PostgresServer | PooledPostgres;

  /** Two processes, the second one on Fastify. */
  let one: RunningProgram;
  let two: RunningProgram;

  beforeAll(async () => {
    store = await STORES[name].start();
    [one, two] = await Promise.all([start(), start({ HTTP_ADAPTER: 'fastify' })]);
  });

  afterAll(async () => {
    closeReaders();
    for (const program of started.splice(0)) {
      program.kill();
      await program.exitCode();
    }
    await store.stop();
  });

  /** Starts the built service with the options of the storage and no other environment variables. */
  async function start(variables: Readonly<Record<string, string>> = {}): Promise<RunningProgram> {
    const env = { PORT: '0', ADMIN_SECRET, ...kind, SESSION_STORAGE_URL: store.url, ...feedOf(store), ...variables };
    const program = new BuiltProgram('session-service/main.js', { env: { PATH: process.env['PATH'], ...env } });
    started.push(program);
    await program.printed('/history');
    return { url: /http:\/\/127\.0\.0\.1:\d+/.exec(program.stdout)![0], program };
  }

  test('shares sessions, attributes, services, logouts and events between processes on Express and Fastify', async () => {
    const [here, there] = [clientOf(one, headers), clientOf(two, headers)];
    const events = await EventReader.open(`${one.url}/v1/events`, headers);
    const created = await here<Session>('POST /v1/sessions', { loginId: 'alice', attributes: { role: 'gold' } });
    const { sessionId, credential } = created.json;
    expect(created.status).toBe(201);
    expect((await there('POST /v1/sessions/verify', { credential })).json).toMatchObject({ loginId: 'alice' });
    const service = { serviceName: 'Orders', permissions: ['session.read'] };
    const registered = await here<{ secret: string }>('POST /v1/services', { serviceId: 'orders', ...service });
    const orders = clientOf(two, basic('orders', registered.json.secret));
    expect((await orders(`GET /v1/sessions/${sessionId}`)).json).toMatchObject({ attributes: { role: 'gold' } });
    expect((await there(`DELETE /v1/sessions/${sessionId}`)).status).toBe(200);
    expect((await here('POST /v1/sessions/verify', { credential })).json).toMatchObject({ code: 'ERR_SESSION_ENDED' });
    await eventually(() => ['session.created', 'session.ended'].every((type) => events.types.includes(type)));
    expect(one.program.stdout + two.program.stdout).not.toContain('are lost when it stops');
  });

  test('answers 503 while the storage is down, and recovers by itself', async () => {
    const client = clientOf(two, headers);
    await store.kill();
    const refused = await client('POST /v1/sessions', { loginId: 'carol' });
    expect([refused.status, refused.json]).toMatchObject([503, { code: 'ERR_STORAGE_UNAVAILABLE' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await client('GET /health/ready')).status).toBe(503);
    await store.restart();
    for (const each of [client, clientOf(one, headers)]) {
      await eventually(async () => (await each('POST /v1/sessions', { loginId: 'carol' })).status === 201);
      await eventually(async () => (await each('GET /health/ready')).status === 200);
    }
  });

  test('keeps sessions and services over a restart, and finds none under other names', async () => {
    const { status, json } = await clientOf(one, headers)<Session>('POST /v1/sessions', { loginId: 'bob' });
    expect(status).toBe(201);
    one.program.signal('SIGTERM');
    expect(await one.program.exitCode()).toBe(0);
    const [again, elsewhere] = await Promise.all([start(), start(otherPlace)]);
    expect((await clientOf(again, headers)(`GET /v1/sessions/${json.sessionId}`)).status).toBe(200);
    expect((await clientOf(elsewhere, headers)(`GET /v1/sessions/${json.sessionId}`)).status).toBe(404);
  });
});
