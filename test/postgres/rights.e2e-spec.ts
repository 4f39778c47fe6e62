import { describe, expect, test } from '@jest/globals';
import type { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { describeReadOnlyUser } from '../server-storage-suite/read-only-user.topic.js';
import { type Grantee, OWNER, singleGrants, without } from '../support/postgres/granted-roles.js';
import {
  FORBIDDEN_TO_ALL,
  FORBIDDEN_TO_READERS,
  allowed,
  due,
  useGrantedRoles,
  waitForFeed,
} from '../support/postgres/use-granted-roles.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { READS, RETENTION_MS, WRITES, created, creation } from '../support/storage/storage-calls.js';

const roles = useGrantedRoles();
const { connectAs } = roles;

/** Reads sessions in every way. */
async function readSessions(storage: PostgresSessionStorage): Promise<void> {
  const session = await created(roles.owner, 'alice');
  for (const read of Object.values(READS)) await read(storage, session);
  await storage.get(await due(roles.owner, 'sleeper'));
  await storage.listByLogin('sleeper');
  await waitForFeed(storage);
}

/** Reads in every way what the owner has written. */
async function readAll(storage: PostgresSessionStorage): Promise<void> {
  await roles.owner.services.put({ ...SERVICE, replace: true });
  for (const read of Object.values(SERVICE_READS)) await read(storage);
  await readSessions(storage);
}

/** Writes in every way. */
async function writeAll(storage: PostgresSessionStorage): Promise<void> {
  for (const write of Object.values(WRITES)) await write(storage, await created(roles.owner, 'bob'));
  const limits = { perLogin: 1, onLimit: 'end-idlest' } as const;
  for (let n = 0; n < 2; n++) await storage.create({ ...creation(storage, 'limited'), limits });
  for (const write of Object.values(SERVICE_WRITES)) {
    await roles.owner.services.put({ ...SERVICE, replace: true });
    await roles.owner.services.remove({ serviceId: SERVICE.serviceId, by: 'tests' });
    await storage.services.put(SERVICE);
    await write(storage);
  }
  await storage.services.recordUse({ serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId });
  await due(roles.owner, 'sleeper');
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
    const worked = await without(roles.server, role, grant, async () => {
      return (await isDone(async () => work(connected))) && (await isDone(async () => work(await start())));
    });
    if (worked) found.push(`${grant.privilege} ON ${grant.on}`);
  }
  return found;
}

describe('a user with the privileges of registry.sql', () => {
  test.each(['check', 'auto'] as const)(
    "can do everything that a service does, with migrate: '%s'",
    async (migrate) => {
      const storage = await connectAs('registry', { migrate });
      await expect(readAndWriteAll(storage)).resolves.toBeUndefined();
    },
  );

  test('needs each of these privileges', async () => {
    expect(await unneeded('registry', readAndWriteAll)).toEqual([]);
  }, 240_000);

  test('has no other privilege', async () => {
    expect(await allowed(roles.server, 'registry', FORBIDDEN_TO_ALL)).toEqual([]);
  });
});

describe.each(['check', 'auto'] as const)("with migrate: '%s',", (migrate) => {
  describeReadOnlyUser('PostgresSessionStorage', {
    owner: async () => roles.owner,
    reader: () => connectAs('reader', { migrate }),
    solution: 'docs/postgres-grants',
    note: 'may not write',
    readsServices: false,
  });
});

describe('a user with the privileges of reader.sql', () => {
  test('sees a due session as ended, and leaves its row unchanged', async () => {
    const reader = await connectAs('reader');
    const sessionId = await due(roles.owner, 'erin');
    expect(await reader.get(sessionId)).toMatchObject({ state: 'ended', reason: 'idle-timeout', endedBy: '@expiry' });
    expect(await reader.listByLogin('erin')).toEqual([]);
    expect(await reader.listHistory('erin')).toMatchObject([{ sessionId, reason: 'idle-timeout' }]);
    const [row] = await roles.server.query('SELECT ended_at FROM distributed_session WHERE session_id = $1', [
      sessionId,
    ]);
    expect(row).toEqual({ ended_at: null });
  });

  test('cannot sweep: the sweep is rejected as not applied', async () => {
    const reader = await connectAs('reader');
    await due(roles.owner, 'gwen');
    const sweeping = reader.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
    const message = expect.stringContaining('docs/postgres-grants');
    await expect(sweeping).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE', message });
  });

  test('needs each of these privileges', async () => {
    expect(await unneeded('reader', readSessions)).toEqual([]);
  });

  test('reads no hash of a secret, and has no other privilege', async () => {
    const hashes = ['SELECT hash FROM distributed_service_secret', 'SELECT * FROM distributed_current_service'];
    expect(await allowed(roles.server, 'reader', [...FORBIDDEN_TO_ALL, ...FORBIDDEN_TO_READERS, ...hashes])).toEqual(
      [],
    );
    const reader = await connectAs('reader');
    for (const read of Object.values(SERVICE_READS)) {
      const message = expect.stringContaining('docs/postgres-grants');
      await expect(read(reader)).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE', message });
    }
  });
});

describe('a user with the privileges of roles.owner.sql', () => {
  test('runs the migrations, and has no privilege outside its tables', async () => {
    expect(await roles.owner.ping()).toEqual({ writable: true, notes: [] });
    const statements = [
      'SELECT * FROM of_others',
      'DROP TABLE of_others',
      'SELECT * FROM pg_authid',
      'CREATE SCHEMA more',
      'CREATE ROLE more',
      'CREATE DATABASE more',
    ];
    expect(await allowed(roles.server, OWNER, statements)).toEqual([]);
  });
});
