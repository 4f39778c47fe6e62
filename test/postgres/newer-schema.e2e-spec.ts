import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { OptionsError } from 'nestjs-distributed-session';
import {
  PostgresSessionStorage,
  type PostgresSessionStorageOptions,
  postgresMigrationSql,
} from 'nestjs-distributed-session/postgres';
import { Client } from 'pg';
import { lockLedger } from '../../libs/distributed-session/src/storage/postgres/schema/migration-sql.js';
import { LATEST_VERSION } from '../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { SchemaNames } from '../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { settle } from '../support/storage/settled-call.js';
import { READS, WRITES, created } from '../support/storage/storage-calls.js';

const names = new SchemaNames('public', 'distributed_');
const NEXT = LATEST_VERSION + 1;
const LATER = NEXT + 1;
/** A later release that works beside this one, and has another text of a function. */
const COMPATIBLE = [
  `INSERT INTO distributed_session_migration (version, name, oldest_schema, oldest_release)
   VALUES (${NEXT}, 'next', ${LATEST_VERSION}, '0.1.0'), (${LATER}, 'later', ${LATEST_VERSION}, '0.1.0')`,
  'ALTER TABLE distributed_session ADD COLUMN mood text',
  `UPDATE distributed_session_function SET digest = 'of a later release' WHERE name IN ('is_online', 'now_ms')`,
];
/** One that needs itself; an intermediate one did not. */
const INCOMPATIBLE = [
  `INSERT INTO distributed_session_migration (version, name, oldest_schema, oldest_release)
   VALUES (${NEXT}, 'next', ${NEXT}, '7.8.9'), (${LATER}, 'later', ${LATEST_VERSION}, '0.1.0')`,
];
const REFUSED = new RegExp(`has version ${LATER}, of a later release.*install 7\\.8\\.9 or later, or restore`, 'u');

let server: PostgresServer;
let url: string;
let warned: jest.SpiedFunction<Logger['warn']>;
let logged: jest.SpiedFunction<Logger['error']>;
let storages: PostgresSessionStorage[] = [];

beforeAll(async () => {
  server = await PostgresServer.start();
});

beforeEach(async () => {
  url = await server.createDatabase();
  await (await connected()).close();
  storages = [];
  warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
});

afterEach(async () => {
  for (const storage of storages.splice(0)) await storage.close();
  jest.restoreAllMocks();
});

afterAll(() => server.stop());

async function connected(options: PostgresSessionStorageOptions = {}): Promise<PostgresSessionStorage> {
  const storage = new PostgresSessionStorage({ url, heartbeatIntervalMs: 50, ...options });
  await storage.connect();
  storages.push(storage);
  return storage;
}

async function run(statements: readonly string[]): Promise<Record<string, unknown>[]> {
  let rows: Record<string, unknown>[] = [];
  for (const text of statements) {
    ({ rows } = await server.use(async (client) => client.query<Record<string, unknown>>(text), databaseOf(url)));
  }
  return rows;
}

const databaseOf = (address: string) => new URL(address).pathname.slice(1);
const functions = () =>
  run([
    `SELECT proname, prosrc, xmin::text FROM pg_proc WHERE proname LIKE 'distributed\\_%' ORDER BY proname, prosrc`,
  ]);
const errorsOf = (options?: PostgresSessionStorageOptions) =>
  connected(options).then(
    () => [],
    (error: OptionsError) => error.errors,
  );

describe('a PostgresSessionStorage that finds the schema of a later release', () => {
  test.each(['auto', 'check'] as const)(
    'starts with a warning if the later release says so, works, and replaces nothing, with migrate: %s',
    async (migrate) => {
      await run(COMPATIBLE);
      const before = await functions();
      const storage = await connected({ migrate });
      expect(warned.mock.calls).toEqual([[expect.stringMatching(`has version ${LATER}, of a later release`)]]);
      for (const call of Object.values({ ...WRITES, ...READS })) await call(storage, await created(storage, 'worker'));
      expect(await functions()).toEqual(before);
      const [{ version }] = (await run(['SELECT max(version) AS version FROM distributed_session_migration'])) as [
        { version: number },
      ];
      expect(version).toBe(LATER);
    },
  );

  test('refuses to start if any later migration needs a later release, and names it', async () => {
    await run(INCOMPATIBLE);
    expect(await errorsOf()).toEqual([expect.stringMatching(REFUSED)]);
    expect(await errorsOf({ migrate: 'check' })).toEqual([expect.stringMatching(REFUSED)]);
  });

  test('refuses to start if the later release does not say which releases work on it', async () => {
    await run([`INSERT INTO distributed_session_migration (version, name) VALUES (${NEXT}, 'next')`]);
    expect(await errorsOf()).toEqual([expect.stringMatching(/of a later release.*install that release/u)]);
  });

  test.each([
    ['is missing', `DELETE FROM distributed_session_function WHERE name = 'create_session'`],
    ['has other parameters', `UPDATE distributed_session_function SET signature = '()' WHERE name = 'create_session'`],
  ])('refuses to start if a function that it calls %s', async (_what, edit) => {
    await run([...COMPATIBLE, edit]);
    expect(await errorsOf()).toEqual([expect.stringMatching(/without the function create_session/u)]);
  });

  test('refuses to start if a later release migrates while it waits to migrate, and does not touch its functions', async () => {
    await run([`UPDATE distributed_session_function SET digest = 'old' WHERE name = 'is_online'`]);
    const before = await functions();
    const gate = new Client(url);
    await gate.connect();
    try {
      await gate.query('BEGIN');
      for (const statement of lockLedger(names)) await gate.query(statement);
      const starting = errorsOf();
      await eventually(async () => {
        const text = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'distributed_session_migration'::regclass`;
        return (await run([text])).length === 1;
      });
      for (const statement of INCOMPATIBLE) await gate.query(statement);
      await gate.query('COMMIT');
      expect(await starting).toEqual([expect.stringMatching(REFUSED)]);
      expect(await functions()).toEqual(before);
    } finally {
      await gate.end();
    }
  });
});

describe('a running PostgresSessionStorage whose schema a later release migrates', () => {
  test('works on if the later release says so', async () => {
    const storage = await connected();
    const session = await created(storage, 'alice');
    await run(COMPATIBLE);
    await eventually(() => warned.mock.calls.length > 0);
    expect(warned.mock.calls).toEqual([[expect.stringContaining(`to version ${LATER}`)]]);
    expect(await storage.get(session.sessionId)).toMatchObject({ state: 'live' });
    for (const call of Object.values({ ...WRITES, ...READS })) await call(storage, await created(storage, 'worker'));
    expect(await storage.ping()).toEqual({ writable: true, notes: [] });
  });

  test('rejects every call and its health otherwise, until the schema is restored', async () => {
    const storage = await connected();
    const session = await created(storage, 'alice');
    await run(INCOMPATIBLE);
    await eventually(() => logged.mock.calls.length > 0);
    expect(logged.mock.calls).toEqual([[expect.stringMatching(REFUSED)]]);
    for (const call of [...Object.values(READS), ...Object.values(WRITES), () => storage.ping()]) {
      const message = expect.stringMatching(REFUSED);
      expect(await settle(() => call(storage, session))).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE', message });
    }
    await run([`DELETE FROM distributed_session_migration WHERE version > ${LATEST_VERSION}`]);
    await eventually(async () => (await settle(() => storage.get(session.sessionId))).outcome === 'read');
  });
});

describe('postgresMigrationSql()', () => {
  test('fails on the schema of a later release, and of an earlier one than it is for, without a change', async () => {
    await run(COMPATIBLE);
    const before = await functions();
    for (const from of [LATEST_VERSION, LATEST_VERSION - 1]) {
      await expect(run([postgresMigrationSql({ from })])).rejects.toThrow(
        `The schema has version ${LATER}, and these statements are for version ${from}`,
      );
    }
    expect(await functions()).toEqual(before);
  });
});
