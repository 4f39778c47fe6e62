import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OptionsError } from 'nestjs-distributed-session';
import {
  PostgresSessionStorage,
  type PostgresSessionStorageOptions,
  postgresMigrationSql,
} from 'nestjs-distributed-session/postgres';
import { Client } from 'pg';
import { MIGRATIONS } from '../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { SchemaNames } from '../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { EARLIER_STORES, ENDED_ID, type EarlierStore, SESSION_ID } from '../support/postgres/earlier-stores.js';
import { describeSchema } from '../support/postgres/schema-description.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { READS, WRITES, bytes, created } from '../support/storage/storage-calls.js';
import { loggedErrors } from '../support/postgres/logged-errors.js';

const names = new SchemaNames('public', 'distributed_');
const ALL = MIGRATIONS.map(({ version, name }) => ({ version, name }));

let server: PostgresServer;
/** The schema that a start on an empty database creates. */
let latestSchema: string;

beforeAll(async () => {
  server = await PostgresServer.start();
  const url = await server.createDatabase();
  await withStorage({ url }, async () => undefined);
  latestSchema = await schemaOf(url);
});

afterAll(async () => {
  await server.stop();
});

/** The URL of a new database with this store. */
async function databaseWith({ create }: EarlierStore): Promise<string> {
  const url = await server.createDatabase();
  await withPostgres(url, create);
  return url;
}

/** Runs the work with a connected storage. */
async function withStorage<T>(
  options: PostgresSessionStorageOptions,
  work: (storage: PostgresSessionStorage) => Promise<T>,
): Promise<T> {
  const storage = new PostgresSessionStorage(options);
  try {
    await storage.connect();
    return await work(storage);
  } finally {
    await storage.close();
  }
}

const schemaOf = (url: string, schema?: string) => withPostgres(url, async (client) => describeSchema(client, schema));

async function rowsOf(url: string, text: string): Promise<Record<string, unknown>[]> {
  return withPostgres(url, async (client) => (await client.query<Record<string, unknown>>(text)).rows);
}

const ledgerOf = (url: string, tables = names) =>
  rowsOf(url, tables.sql('SELECT version, name FROM {session_migration} ORDER BY version'));

/** The schema and all rows, except those of changes: a start publishes them. */
async function stateOf(url: string): Promise<string[]> {
  const dump = await server.dump(new URL(url).pathname.slice(1));
  const rows = dump.split('\n').filter((line) => !/^public.distributed_session_(change|feed):/u.test(line));
  return [await schemaOf(url), ...rows];
}

/** The store contains what was written at its version, and nothing else. */
async function expectContents(storage: PostgresSessionStorage, version: number): Promise<void> {
  const [hasSessions, hasServices] = [version >= 1, version >= 2];
  const { serviceId, serviceName, permissions } = SERVICE;
  const session = { state: 'live', loginId: 'alice', device: 'phone', payload: bytes('of an earlier release') };
  const ended = { state: 'ended', sessionId: ENDED_ID, reason: 'logged-out', endedBy: 'tests' };
  const sessions = Number(hasSessions);
  expect({
    count: await storage.count(),
    live: [await storage.get(SESSION_ID)].filter((found) => found !== undefined),
    history: await storage.listHistory('alice'),
    services: await storage.services.list(),
  }).toMatchObject({
    count: { sessions, logins: sessions },
    live: hasSessions ? [session] : [],
    history: hasSessions ? [ended] : [],
    services: hasServices ? [{ serviceId, serviceName, permissions, version: 1 }] : [],
  });
}

/** Every operation works. */
async function expectItWorks(storage: PostgresSessionStorage): Promise<void> {
  for (const call of Object.values({ ...WRITES, ...READS })) await call(storage, await created(storage, 'worker'));
}

describe.each(Object.entries(EARLIER_STORES))('%s', (_name, store) => {
  test('is brought up to date by a start, and keeps its contents', async () => {
    const url = await databaseWith(store);
    await withStorage({ url }, async (storage) => {
      await expectContents(storage, store.version);
      await expectItWorks(storage);
    });
    expect(await ledgerOf(url)).toEqual(ALL);
    expect(await schemaOf(url)).toBe(latestSchema);
  });

  test('is brought up to date by postgresMigrationSql()', async () => {
    const url = await databaseWith(store);
    const sql = postgresMigrationSql({ from: store.version });
    await withPostgres(url, async (client) => client.query(sql));
    await withStorage({ url, migrate: 'check' }, async (storage) => expectContents(storage, store.version));
    expect(await ledgerOf(url)).toEqual(ALL);
    expect(await schemaOf(url)).toBe(latestSchema);
  });

  test("is not changed by a start with migrate: 'check', which rejects it unless it is up to date", async () => {
    const url = await databaseWith(store);
    const before = await stateOf(url);
    const errors = await withStorage({ url, migrate: 'check' }, async () => []).catch(
      (error: OptionsError) => error.errors,
    );
    const wayOut = `run the output of postgresMigrationSql({ from: ${store.version} }), or set migrate to 'auto'`;
    expect(errors).toEqual(store.rejectedAs === undefined ? [] : [`${store.rejectedAs}: ${wayOut}`]);
    expect(await stateOf(url)).toEqual(before);
  });
});

describe('a start on a store with other functions', () => {
  test('creates only the functions whose text has changed, which keep their grants', async () => {
    const url = await databaseWith(EARLIER_STORES['a store with other functions']!);
    await withStorage({ url }, async () => undefined);
    const applied = `SELECT name FROM distributed_session_function WHERE applied_at > '2000-01-01' ORDER BY name`;
    expect(await rowsOf(url, applied)).toEqual(
      ['is_online', 'purge_tombstones', 'read_login_exactly'].map((name) => ({ name })),
    );
    const grants = `SELECT has_function_privilege('pg_monitor', 'distributed_is_online(text)', 'EXECUTE') AS kept,
      proacl IS NOT NULL AS explicit FROM pg_proc WHERE proname = 'distributed_is_online'`;
    expect(await rowsOf(url, grants)).toEqual([{ kept: true, explicit: true }]);
  });
});

describe('a migration that adds rows to lock', () => {
  const ROLE = 'role_with_earlier_grants';
  const GRANTS = `GRANT SELECT ON distributed_session_migration, distributed_session_function TO ${ROLE};
    GRANT SELECT, INSERT, UPDATE, DELETE ON distributed_session TO ${ROLE};
    GRANT SELECT, UPDATE ON distributed_session_count TO ${ROLE};
    GRANT SELECT, INSERT, DELETE ON distributed_session_change, distributed_session_feed TO ${ROLE};
    GRANT USAGE ON SEQUENCE distributed_session_place TO ${ROLE}`;

  test('lets roles with the grants of the version before work on', async () => {
    const url = await databaseWith(EARLIER_STORES['a store without rows to lock']!);
    await server.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${ROLE}'`);
    await withPostgres(url, async (client) => client.query(GRANTS));
    await withStorage({ url }, async () => undefined);
    const limited = Object.assign(new URL(url), { username: ROLE, password: ROLE });
    await withStorage({ url: limited.href, migrate: 'check' }, async (storage) => {
      for (const call of Object.values(WRITES)) await call(storage, await created(storage, 'worker'));
      expect(await storage.ping()).toEqual({ writable: true, notes: [] });
    });
  });
});

describe.each(['public', 'My "Schema"'])('ten processes that start at once, with the schema %s', (schema) => {
  test('migrate once, and all of them work', async () => {
    const url = await server.createDatabase();
    const tables = new SchemaNames(schema, 'distributed_');
    const logged = (await server.readLog()).length;
    const gate = new Client(url);
    await gate.connect();
    // A migration in progress, which fails later.
    await gate.query('BEGIN');
    await gate.query(tables.sql('CREATE SCHEMA IF NOT EXISTS {schema}'));
    await gate.query(tables.sql('CREATE TABLE {session_migration} ()'));
    const storages = Array.from({ length: 10 }, () => new PostgresSessionStorage({ url, schema, options: { max: 2 } }));
    try {
      const starts = Promise.all(storages.map(async (storage) => storage.connect()));
      // By then, all of them have seen an empty database.
      await eventually(async () => {
        const text = `SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted`;
        return (await gate.query(text)).rows.length === storages.length;
      });
      await gate.query('ROLLBACK');
      await starts;
      expect(await ledgerOf(url, tables)).toEqual(ALL);
      await Promise.all(storages.map(expectItWorks));
      // None tried what another one had done.
      expect(loggedErrors((await server.readLog()).slice(logged))).toEqual([]);
    } finally {
      await gate.end();
      await Promise.all(storages.map(async (storage) => storage.close()));
    }
  });
});

describe('a schema with another name', () => {
  test('is created by a start as postgresMigrationSql() creates its tables', async () => {
    const options = { schema: `My "Schema's"`, tablePrefix: 'sess_' };
    const [made, prepared] = [await server.createDatabase(), await server.createDatabase()];
    await withStorage({ ...options, url: made }, expectItWorks);
    await withPostgres(prepared, async (client) => client.query(`CREATE SCHEMA "My ""Schema's"""`));
    await withPostgres(prepared, async (client) => client.query(postgresMigrationSql(options)));
    const schema = await schemaOf(made, options.schema);
    expect(schema).toContain('table sess_service\n');
    expect(await schemaOf(prepared, options.schema)).toBe(schema);
    expect(await schemaOf(made)).toBe('');
  });
});

describe('a migration whose connection is lost halfway', () => {
  /** Ends the connection that creates a view: the first migration is done by then, and the second has begun. */
  const SABOTAGE = [
    'CREATE SCHEMA saboteur',
    `CREATE FUNCTION saboteur.strike() RETURNS event_trigger LANGUAGE plpgsql AS $$
     BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$`,
    `CREATE EVENT TRIGGER strike ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION saboteur.strike()`,
  ];

  test.each(['public', 'sessions'])('leaves nothing in the schema %s, and the next start succeeds', async (schema) => {
    const url = await server.createDatabase();
    await withPostgres(url, async (client) => {
      for (const statement of SABOTAGE) await client.query(statement);
    });
    const start = async () => withStorage({ url, schema, connectDeadlineMs: 1_000 }, expectItWorks);
    await expect(start()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
    expect(await server.readLog()).toContain('terminating connection due to administrator command');
    expect(await schemaOf(url, schema)).toBe('');
    await withPostgres(url, async (client) => client.query('DROP EVENT TRIGGER strike'));
    await start();
    expect(await ledgerOf(url, new SchemaNames(schema, 'distributed_'))).toEqual(ALL);
  });
});
