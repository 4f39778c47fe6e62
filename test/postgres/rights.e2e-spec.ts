import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { type Grantee, OWNER, grantRoles, singleGrants, urlOf, without } from '../support/postgres/granted-roles.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { describeReadOnlyUser } from '../server-storage-suite/read-only-user.topic.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { READS, RETENTION_MS, WRITES, created, creation } from '../support/storage/storage-calls.js';

let server: PostgresServer;
let owner: PostgresSessionStorage;
const opened: PostgresSessionStorage[] = [];

beforeAll(async () => {
  server = await PostgresServer.start();
  await grantRoles(server);
  await server.query('CREATE TABLE public.of_others AS SELECT 1 AS secret');
  owner = new PostgresSessionStorage({ url: urlOf(server, OWNER), heartbeatIntervalMs: 50 });
  await owner.connect();
});

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});

afterAll(async () => {
  await owner.close();
  await server.stop();
});

async function connectAs(
  role: Grantee,
  options: PostgresSessionStorageOptions = { migrate: 'check' },
): Promise<PostgresSessionStorage> {
  const storage = new PostgresSessionStorage({ url: urlOf(server, role), ...options });
  opened.push(storage);
  await storage.connect();
  return storage;
}

/** A session that is past its end, but has no tombstone yet. */
async function due(loginId: string): Promise<string> {
  const session = { ...creation(owner, loginId), idleTimeoutMs: 1 };
  await owner.create(session);
  await eventually(async () => (await owner.get(session.sessionId))?.state === 'ended');
  return session.sessionId;
}

/** Resolves once the feed works steadily: a feed that the server refuses reconnects again and again. */
async function waitForFeed(storage: PostgresSessionStorage): Promise<void> {
  const endsAt = performance.now() + 3_000;
  for (let rounds = 0; rounds < 5; rounds = storage.feedLagMs() < Infinity ? rounds + 1 : 0) {
    if (performance.now() > endsAt) throw new Error('The change feed does not work.');
    await setTimeout(20);
  }
}

/** Reads in every way what the owner has written. */
async function readAll(storage: PostgresSessionStorage): Promise<void> {
  const session = await created(owner, 'alice');
  await owner.services.put({ ...SERVICE, replace: true });
  for (const read of Object.values(READS)) await read(storage, session);
  for (const read of Object.values(SERVICE_READS)) await read(storage);
  await storage.get(await due('sleeper'));
  await storage.listByLogin('sleeper');
  await waitForFeed(storage);
}

/** Writes in every way. */
async function writeAll(storage: PostgresSessionStorage): Promise<void> {
  for (const write of Object.values(WRITES)) await write(storage, await created(owner, 'bob'));
  for (const write of Object.values(SERVICE_WRITES)) {
    await owner.services.put({ ...SERVICE, replace: true });
    await owner.services.remove({ serviceId: SERVICE.serviceId, by: 'tests' });
    await storage.services.put(SERVICE);
    await write(storage);
  }
  await storage.services.recordUse({ serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId });
  await due('sleeper');
  await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
  const { writable } = await storage.ping();
  if (!writable) throw new Error('The storage reports that it is read-only.');
}

async function readAndWriteAll(storage: PostgresSessionStorage): Promise<void> {
  await writeAll(storage);
  await readAll(storage);
}

async function isDone(task: () => Promise<unknown>): Promise<boolean> {
  return task().then(
    () => true,
    () => false,
  );
}

/** The role's privileges that it does not need: without each of the others, the work or its start fails. */
async function unneeded(role: Grantee, work: (storage: PostgresSessionStorage) => Promise<void>): Promise<string[]> {
  const found: string[] = [];
  const start = async () => connectAs(role, { migrate: 'check', connectDeadlineMs: 2_000 });
  const connected = await start();
  // It succeeds with all of them.
  await work(connected);
  for (const grant of await singleGrants(role)) {
    const worked = await without(server, role, grant, async () => {
      return (await isDone(async () => work(connected))) && (await isDone(async () => work(await start())));
    });
    if (worked) found.push(`${grant.privilege} ON ${grant.on}`);
  }
  return found;
}

/** The statements that are not rejected for a missing privilege. */
async function allowed(role: Grantee, statements: readonly string[]): Promise<string[]> {
  return withPostgres(urlOf(server, role), async (client) => {
    const found: string[] = [];
    for (const statement of statements) {
      const error = await client.query(statement).then(
        () => ({ code: 'none' }),
        (refusal: { code?: string }) => refusal,
      );
      if (error.code !== '42501') found.push(`${statement}: ${error.code}`);
    }
    return found;
  });
}

const FORBIDDEN_TO_ALL = [
  'DROP TABLE distributed_session',
  'TRUNCATE distributed_session',
  'TRUNCATE distributed_session_change',
  'ALTER TABLE distributed_session ADD COLUMN more text',
  'CREATE INDEX ON distributed_session (device)',
  'CREATE TABLE public.more (n integer)',
  'CREATE SCHEMA more',
  'CREATE OR REPLACE FUNCTION distributed_now_ms() RETURNS bigint LANGUAGE sql AS $$ SELECT 0::bigint $$',
  'DROP FUNCTION distributed_now_ms()',
  'SELECT distributed_recount_sessions()',
  `INSERT INTO distributed_session_migration (version, name) VALUES (99, 'more')`,
  'UPDATE distributed_session_migration SET version = 0',
  'DELETE FROM distributed_session_migration',
  'INSERT INTO distributed_session_count (shard) VALUES (99)',
  'DELETE FROM distributed_session_count',
  `UPDATE distributed_session_change SET change = ''`,
  `SELECT setval('distributed_session_place', 1)`,
  'SELECT * FROM of_others',
  'SELECT * FROM pg_authid',
];
const FORBIDDEN_TO_READERS = [
  ...['session', 'session_count', 'service', 'service_secret', 'session_change', 'current_service'].map(
    (table) => `DELETE FROM distributed_${table}`,
  ),
  'UPDATE distributed_session SET version = version',
  'SELECT FROM distributed_session FOR SHARE',
  `SELECT nextval('distributed_session_place')`,
  `SELECT distributed_remove_service('orders', 'tests', '')`,
];

describe('a user with the privileges of read-write.sql', () => {
  test.each(['check', 'auto'] as const)(
    "can do everything that a service does, with migrate: '%s'",
    async (migrate) => {
      const storage = await connectAs('read-write', { migrate });
      await expect(readAndWriteAll(storage)).resolves.toBeUndefined();
    },
  );

  test('needs each of these privileges', async () => {
    expect(await unneeded('read-write', readAndWriteAll)).toEqual([]);
  }, 240_000);

  test('has no other privilege', async () => {
    expect(await allowed('read-write', FORBIDDEN_TO_ALL)).toEqual([]);
  });
});

describe.each(['check', 'auto'] as const)("with migrate: '%s',", (migrate) => {
  describeReadOnlyUser('PostgresSessionStorage', {
    owner: async () => owner,
    reader: () => connectAs('read-only', { migrate }),
    solution: 'docs/postgres-grants',
    note: 'may not write',
  });
});

describe('a user with the privileges of read-only.sql', () => {
  test('sees a due session as ended, and leaves its row unchanged', async () => {
    const reader = await connectAs('read-only');
    const sessionId = await due('erin');
    expect(await reader.get(sessionId)).toMatchObject({ state: 'ended', reason: 'idle-timeout', endedBy: '@expiry' });
    expect(await reader.listByLogin('erin')).toEqual([]);
    expect(await reader.listHistory('erin')).toMatchObject([{ sessionId, reason: 'idle-timeout' }]);
    const [row] = await server.query('SELECT ended_at FROM distributed_session WHERE session_id = $1', [sessionId]);
    expect(row).toEqual({ ended_at: null });
  });

  test('cannot sweep: the sweep is rejected as not applied', async () => {
    const reader = await connectAs('read-only');
    await due('gwen');
    const sweeping = reader.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
    const message = expect.stringContaining('docs/postgres-grants');
    await expect(sweeping).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE', message });
  });

  test('needs each of these privileges', async () => {
    expect(await unneeded('read-only', readAll)).toEqual([]);
  });

  test('has no other privilege', async () => {
    expect(await allowed('read-only', [...FORBIDDEN_TO_ALL, ...FORBIDDEN_TO_READERS])).toEqual([]);
  });
});

describe('a user with the privileges of sessions.sql', () => {
  test('reads, writes and sweeps sessions, verifies services and records their use, and receives changes', async () => {
    const storage = await connectAs('sessions');
    for (const write of Object.values(WRITES)) await write(storage, await created(owner, 'harry'));
    await storage.services.recordUse({ serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId });
    await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
    await readAll(storage);
    expect(await storage.ping()).toEqual({ writable: true, notes: [] });
  });

  test('cannot register, change or revoke a service: each is rejected as not applied', async () => {
    const storage = await connectAs('sessions');
    await owner.services.put({ ...SERVICE, replace: true });
    const before = await owner.services.list();
    for (const write of Object.values(SERVICE_WRITES)) {
      const message = expect.stringContaining('docs/postgres-grants');
      await expect(write(storage)).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE', message });
    }
    expect(await owner.services.list()).toEqual(before);
  });

  test('cannot do so by raw SQL either, and has no other privilege', async () => {
    const statements = [
      `INSERT INTO distributed_service VALUES ('evil', 'Evil', '["*"]', 1, 0)`,
      `INSERT INTO distributed_service_secret (key_id, service_id, hash, created_at) VALUES ('k', 'orders', '{}', 0)`,
      `UPDATE distributed_service SET permissions = '["*"]'`,
      `UPDATE distributed_service_secret SET hash = '{}'`,
      'UPDATE distributed_service_secret SET ends_at = NULL',
      `UPDATE distributed_service_secret SET service_id = 'orders'`,
      'DELETE FROM distributed_service',
      'DELETE FROM distributed_service_secret',
      'SELECT * FROM distributed_service',
      `SELECT distributed_put_service('evil', 'Evil', '["*"]', 'k', '{}', true, 'evil', 'evil:1')`,
    ];
    expect(await allowed('sessions', [...FORBIDDEN_TO_ALL, ...statements])).toEqual([]);
  });
});

describe('a user with the privileges of monitor.sql', () => {
  test('counts sessions, lists who is online, and receives changes', async () => {
    const storage = await connectAs('monitor');
    const received: string[] = [];
    storage.changes(({ type }) => received.push(type));
    const { sessionId } = await created(owner, 'irene');
    expect(await storage.count()).toEqual(await owner.count());
    const { logins } = await storage.listLogins({ limit: 1_000 });
    expect(logins).toContainEqual({ loginId: 'irene', sessions: 1 });
    await owner.end({ sessionId, reason: 'logged-out', by: 'tests', historyRetentionMs: RETENTION_MS });
    await eventually(() => received.includes('session.ended'));
    await waitForFeed(storage);
    expect(await storage.ping()).toMatchObject({ writable: false });
  });

  test('cannot read a session or a service through the storage, nor write any: each is rejected', async () => {
    const storage = await connectAs('monitor');
    const session = await created(owner, 'julia');
    await owner.services.put({ ...SERVICE, replace: true });
    const calls = [
      ...Object.values(WRITES).map(async (write) => write(storage, session)),
      ...Object.values({ ...SERVICE_WRITES, ...SERVICE_READS }).map(async (call) => call(storage)),
      storage.get(session.sessionId),
      storage.listByLogin(session.loginId),
    ];
    for (const result of await Promise.allSettled(calls)) {
      const reason = { code: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining('docs/postgres-grants') };
      expect(result).toMatchObject({ status: 'rejected', reason });
    }
    expect(await owner.get(session.sessionId)).toMatchObject({ state: 'live' });
  });

  test('sees no payload, no digest and no hash by raw SQL, and cannot write', async () => {
    const statements = [
      'SELECT payload FROM distributed_session',
      'SELECT token_digest FROM distributed_session',
      'SELECT * FROM distributed_session',
      'SELECT session FROM distributed_session AS session',
      'SELECT hash FROM distributed_service_secret',
      'SELECT * FROM distributed_current_service',
      `SELECT distributed_read_session_exactly('00000000-0000-4000-8000-000000000001')`,
      'SELECT distributed_flush_changes(true)',
      `INSERT INTO distributed_session_change (change) VALUES ('{}')`,
      ...FORBIDDEN_TO_READERS,
    ];
    expect(await allowed('monitor', [...FORBIDDEN_TO_ALL, ...statements])).toEqual([]);
  });
});
