import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OptionsError } from 'nestjs-distributed-session';
import {
  PostgresSessionStorage,
  type PostgresSessionStorageOptions,
  postgresMigrationSql,
} from 'nestjs-distributed-session/postgres';
import { Client } from 'pg';
import { migrationStatements } from '../../libs/distributed-session/src/storage/postgres/schema/migration-sql.js';
import { MIGRATIONS } from '../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { SchemaNames } from '../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { describeSchema } from '../support/postgres/schema-description.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { READS, RETENTION_MS, WRITES, bytes, created } from '../support/storage/storage-calls.js';

const names = new SchemaNames('public', 'distributed_');
const LATEST = MIGRATIONS.length;
const VERSIONS = Array.from({ length: LATEST + 1 }, (_, version) => version);
const ALL = MIGRATIONS.map(({ version, name }) => ({ version, name }));

const SESSION_ID = '00000000-0000-4000-8000-000000000001';
const OTHER_ID = '00000000-0000-4000-8000-000000000002';

/** How what is in the database is written at the version that has brought it. */
const WRITTEN_SINCE: Record<number, { text: string; values: unknown[] }[]> = {
  1: [
    ...[SESSION_ID, OTHER_ID].map((id) => ({
      text: `SELECT distributed_create_session($1, 'alice', 'tests', 'phone', 3600000, NULL, $2, 9, 9, 'reject', $3, '')`,
      values: [id, bytes('of an old version'), RETENTION_MS],
    })),
    {
      text: `SELECT distributed_end_session($1, 'logged-out', 'tests', NULL, $2, '')`,
      values: [OTHER_ID, RETENTION_MS],
    },
  ],
  2: [
    {
      text: `SELECT distributed_put_service($1, 'Orders', '["session:read"]', $2, $3, false, 'tests', '')`,
      values: [SERVICE.serviceId, SERVICE.secret.keyId, JSON.stringify(SERVICE.secret.hash)],
    },
  ],
};

let server: PostgresServer;
/** The schema that a start on an empty database makes. */
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

/** A new database at this version, with something in it. */
async function databaseAt(version: number): Promise<string> {
  const url = await server.createDatabase();
  if (version === 0) return url;
  await withPostgres(url, async (client) => {
    for (const statement of migrationStatements(names, 0, version)) await client.query(statement);
    for (let since = 1; since <= version; since++) {
      for (const { text, values } of WRITTEN_SINCE[since] ?? []) await client.query(text, values);
    }
  });
  return url;
}

/** Runs the work with a storage that is connected. */
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

async function ledgerOf(url: string, ledger = names.migration): Promise<unknown[]> {
  const text = `SELECT version, name FROM ${ledger} ORDER BY version`;
  return withPostgres(url, async (client) => (await client.query(text)).rows);
}

/** The schema and all rows, but for announcements: a start tells them, and they are gone. */
async function stateOf(url: string): Promise<string[]> {
  const dump = await server.dump(new URL(url).pathname.slice(1));
  const rows = dump.split('\n').filter((line) => !line.startsWith('public.distributed_session_change:'));
  return [await schemaOf(url), ...rows];
}

/** What was written by this version is there, and nothing else. */
async function expectWhatWasWritten(storage: PostgresSessionStorage, version: number): Promise<void> {
  const [wasSessions, wasServices] = [version >= 1, version >= 2];
  const { serviceId, serviceName, permissions } = SERVICE;
  const session = { state: 'live', loginId: 'alice', device: 'phone', payload: bytes('of an old version') };
  const ended = { state: 'ended', sessionId: OTHER_ID, reason: 'logged-out', endedBy: 'tests' };
  const sessions = Number(wasSessions);
  expect({
    count: await storage.count(),
    live: [await storage.get(SESSION_ID)].filter((found) => found !== undefined),
    history: await storage.listHistory('alice'),
    services: await storage.services.list(),
  }).toMatchObject({
    count: { sessions, logins: sessions },
    live: wasSessions ? [session] : [],
    history: wasSessions ? [ended] : [],
    services: wasServices ? [{ serviceId, serviceName, permissions, version: 1 }] : [],
  });
}

/** Every operation works. */
async function expectItWorks(storage: PostgresSessionStorage): Promise<void> {
  for (const call of Object.values({ ...WRITES, ...READS })) await call(storage, await created(storage, 'worker'));
}

describe.each(VERSIONS)('from version %i', (version) => {
  test('a start makes the schema of the latest version, and keeps what is there', async () => {
    const url = await databaseAt(version);
    await withStorage({ url }, async (storage) => {
      await expectWhatWasWritten(storage, version);
      await expectItWorks(storage);
    });
    expect(await ledgerOf(url)).toEqual(ALL);
    expect(await schemaOf(url)).toBe(latestSchema);
  });

  test('postgresMigrationSql(), sent at once, makes the same', async () => {
    const url = await databaseAt(version);
    const sql = postgresMigrationSql({ from: version });
    await withPostgres(url, async (client) => client.query(sql));
    await withStorage({ url, migrate: 'check' }, async (storage) => expectWhatWasWritten(storage, version));
    expect(await ledgerOf(url)).toEqual(ALL);
    expect(await schemaOf(url)).toBe(latestSchema);
  });

  test("a start with migrate: 'check' changes nothing", async () => {
    const url = await databaseAt(version);
    const before = await stateOf(url);
    const faults = await withStorage({ url, migrate: 'check' }, async () => []).catch(
      (error: OptionsError) => error.errors,
    );
    const refused = [`its schema has version ${version}, and version ${LATEST} is needed`];
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(version === LATEST ? [] : refused);
    expect(await stateOf(url)).toEqual(before);
  });
});

describe.each(['public', 'My "Schema"'])('ten processes that start at once, with the schema %s', (schema) => {
  test('migrate once, and all work', async () => {
    const url = await server.createDatabase();
    const tables = new SchemaNames(schema, 'distributed_');
    const logged = (await server.readLog()).length;
    const gate = new Client(url);
    await gate.connect();
    await gate.query('SELECT pg_advisory_lock($1)', [tables.lockSeed]);
    const storages = Array.from({ length: 10 }, () => new PostgresSessionStorage({ url, schema, options: { max: 2 } }));
    try {
      const starts = Promise.all(storages.map(async (storage) => storage.connect()));
      // All of them have seen an empty database by then.
      await eventually(async () => {
        const text = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
        return (await gate.query(text)).rows.length === storages.length;
      });
      await gate.query('SELECT pg_advisory_unlock($1)', [tables.lockSeed]);
      await starts;
      expect(await ledgerOf(url, tables.migration)).toEqual(ALL);
      await Promise.all(storages.map(expectItWorks));
      // Nobody tried what another one had done.
      expect((await server.readLog()).slice(logged)).not.toContain('ERROR:');
    } finally {
      await gate.end();
      await Promise.all(storages.map(async (storage) => storage.close()));
    }
  });
});

describe('a schema of its own', () => {
  test('is made by a start, as postgresMigrationSql() makes it in one that exists', async () => {
    const options = { schema: 'My "Schema"', tablePrefix: 'sess_' };
    const [made, prepared] = [await server.createDatabase(), await server.createDatabase()];
    await withStorage({ ...options, url: made }, expectItWorks);
    await withPostgres(prepared, async (client) => client.query('CREATE SCHEMA "My ""Schema"""'));
    await withPostgres(prepared, async (client) => client.query(postgresMigrationSql(options)));
    const schema = await schemaOf(made, options.schema);
    expect(schema).toContain('table sess_service\n');
    expect(await schemaOf(prepared, options.schema)).toBe(schema);
    expect(await schemaOf(made)).toBe('');
  });
});

describe('a migration whose connection is lost half way', () => {
  /** Ends whoever makes a view: the first migration is done by then, and the second one has begun. */
  const SABOTAGE = [
    'CREATE SCHEMA saboteur',
    `CREATE FUNCTION saboteur.strike() RETURNS event_trigger LANGUAGE plpgsql AS $$
     BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$`,
    `CREATE EVENT TRIGGER strike ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION saboteur.strike()`,
  ];

  test.each(['public', 'sessions'])(
    'leaves nothing behind in the schema %s, and the next start does it',
    async (schema) => {
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
      expect(await ledgerOf(url, new SchemaNames(schema, 'distributed_').migration)).toEqual(ALL);
    },
  );
});
