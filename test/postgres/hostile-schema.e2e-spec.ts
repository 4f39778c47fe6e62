import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage, postgresMigrationSql } from 'nestjs-distributed-session/postgres';
import { MIGRATIONS } from '../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { setTraps, TRAPPED } from '../support/postgres/hostile-schema.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { created, creation, READS, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';

const [VICTIM, HOSTILE] = ['owner_of_sessions', 'hostile_role'];
let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
  for (const role of [VICTIM, HOSTILE]) await server.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
});

afterAll(async () => {
  await server.stop();
});

/**
 * A database in which a hostile role has set its traps. Its traps come before PostgreSQL's functions in the victim's search
 * path, which may happen through `ALTER ROLE` or a user's own pool.
 */
async function trappedDatabase(): Promise<string> {
  const url = new URL(await server.createDatabase());
  const database = url.pathname.slice(1);
  await server.use(async (client) => client.query('GRANT ALL ON SCHEMA public TO PUBLIC'), database);
  const as = (role: string) => Object.assign(new URL(url), { username: role, password: role }).href;
  expect(await withPostgres(as(HOSTILE), setTraps)).toBeGreaterThan(200);
  await server.query(`ALTER ROLE ${VICTIM} IN DATABASE ${database} SET search_path = public, pg_catalog`);
  return as(VICTIM);
}

/** Uses every operation of a storage. */
async function useAll(storage: PostgresSessionStorage): Promise<void> {
  const received: string[] = [];
  storage.changes(({ type }) => received.push(type));
  for (const call of Object.values({ ...WRITES, ...READS })) await call(storage, await created(storage, 'alice'));
  const limits = { perLogin: 2, perDevice: 1, onLimit: 'end-oldest' } as const;
  for (let n = 0; n < 3; n++) await storage.create({ ...creation(storage, 'bob'), device: 'web', limits });
  for (const call of Object.values(SERVICE_WRITES)) {
    await storage.services.put({ ...SERVICE, replace: true });
    for (const read of Object.values(SERVICE_READS)) await read(storage);
    await storage.services.recordUse({ serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId });
    await call(storage);
  }
  const brief = { ...creation(storage, 'carol'), idleTimeoutMs: 1 };
  await storage.create(brief);
  await eventually(async () => (await storage.get(brief.sessionId))?.state === 'ended');
  await storage.listByLogin('carol');
  await storage.sweep({ limit: 100, historyRetentionMs: RETENTION_MS });
  await storage.sweep({ limit: 100, historyRetentionMs: 0 });
  expect(await storage.ping()).toEqual({ writable: true, notes: [] });
  await eventually(() => received.includes('service.changed'));
}

describe('functions, operators and types that a hostile role has created in the schema of the tables', () => {
  test('are traps that work: a query of the victim without our precautions runs into them', async () => {
    const url = await trappedDatabase();
    const query = withPostgres(url, async (client) => client.query('SELECT cardinality(ARRAY[1])'));
    await expect(query).rejects.toThrow(TRAPPED);
  });

  test('are never called by a start with migrations, by any operation, or by a later migration', async () => {
    const url = await trappedDatabase();
    const storage = new PostgresSessionStorage({ url, heartbeatIntervalMs: 50, deadlineMs: 10_000 });
    await storage.connect();
    try {
      await expect(useAll(storage)).resolves.toBeUndefined();
      await withPostgres(url, async (client) => {
        await client
          .query(`UPDATE distributed_session_function SET digest = 'other', signature = 'other'`)
          .catch(() => undefined);
        await client.query(postgresMigrationSql({ from: MIGRATIONS.length }));
      });
      await expect(useAll(storage)).resolves.toBeUndefined();
    } finally {
      await storage.close();
    }
    expect(await server.readLog()).not.toContain(`${TRAPPED} by distributed`);
  });
});
