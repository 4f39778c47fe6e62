import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { Pool, type PoolConfig, defaults, types } from 'pg';
import { Pgbouncer } from '@distributed-session/test-servers/pgbouncer/pgbouncer.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { awkwardHistory } from '../support/postgres/awkward-history.js';
import {
  HOSTILE_ROLE,
  HOSTILE_SETTINGS,
  HOSTILE_USERS,
  changeSettings,
  createHostileRole,
} from '../support/postgres/hostile-settings.js';
import { SHARED_POOL } from '../support/postgres/pooled-fixture.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { settle } from '../support/storage/settled-call.js';
import { creation } from '../support/storage/storage-calls.js';

const SCHEMA = `quoted \\ ' " schema`;

const cleanUps: (() => Promise<unknown>)[] = [];
let server: PostgresServer;
let pooler: Pgbouncer;
/** The URL of the database for the hostile role. */
let url: string;
/** Connected as the same role before it had any settings. */
let other: PostgresSessionStorage;
let warned: jest.SpiedFunction<Logger['warn']>;

beforeAll(async () => {
  server = await PostgresServer.start();
  url = await createHostileRole(server);
  pooler = await Pgbouncer.start(server, { settings: SHARED_POOL, users: HOSTILE_USERS });
  other = new PostgresSessionStorage({ url });
  await other.connect();
});

beforeEach(() => {
  warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  await changeSettings(server, {});
  await changeSettings(server, {}, `DATABASE ${HOSTILE_ROLE}`);
  jest.restoreAllMocks();
});

afterAll(async () => {
  await other.close();
  await pooler.stop();
  await server.stop();
});

async function connected(options: PostgresSessionStorageOptions): Promise<PostgresSessionStorage> {
  const storage = new PostgresSessionStorage(options);
  await storage.connect();
  cleanUps.push(async () => storage.close());
  return storage;
}

function ownPool(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 4, connectionTimeoutMillis: 5_000, keepAlive: true });
  pool.on('error', () => undefined);
  cleanUps.push(async () => pool.end());
  return pool;
}

/** Every way to connect to the database. */
const WAYS: [string, () => PostgresSessionStorageOptions][] = [
  ['a url', () => ({ url })],
  ["the application's own pool", () => ({ pool: ownPool(url) })],
  ['a pooler in transaction mode', () => ({ url: pooler.urlOf(url), feedUrl: url })],
  ['a pooler in transaction mode, and polling', () => ({ url: pooler.urlOf(url), feedPollIntervalMs: 20 })],
];

describe('PostgresSessionStorage stores and reads the same', () => {
  test.each(Object.entries(HOSTILE_SETTINGS))('with %s = %s for its role', async (name, value) => {
    await changeSettings(server, { [name]: value });
    await expect(awkwardHistory(await connected({ url, deadlineMs: 10_000 }), other)).resolves.toBeUndefined();
  });

  test.each(WAYS)('with all of these settings for its role, through %s', async (_name, optionsOf) => {
    await changeSettings(server, HOSTILE_SETTINGS);
    await pooler.command('RECONNECT');
    await expect(
      awkwardHistory(await connected({ ...optionsOf(), deadlineMs: 10_000 }), other),
    ).resolves.toBeUndefined();
  });

  test.each(WAYS)('under simultaneous logins at isolation level serializable, through %s', async (_name, optionsOf) => {
    await changeSettings(server, { default_transaction_isolation: 'serializable' });
    await pooler.command('RECONNECT');
    const storage = await connected({ ...optionsOf(), deadlineMs: 20_000 });
    const limits = { perLogin: 5, onLimit: 'reject' } as const;
    // The first round opens the connections one after the other.
    for (const loginId of [randomUUID(), randomUUID(), randomUUID()]) {
      const logins = Array.from({ length: 20 }, async () => storage.create({ ...creation(storage, loginId), limits }));
      const created = (await Promise.all(logins)).filter(({ outcome }) => outcome === 'created');
      expect(created).toHaveLength(5);
      expect(await storage.listByLogin(loginId)).toHaveLength(5);
    }
    // Their isolation level is another one, so that none had to be repeated.
    expect(await server.readLog()).not.toContain('could not serialize');
  });

  test('with session_replication_role = replica for its role, when a service is removed with its secrets', async () => {
    await changeSettings(server, { session_replication_role: 'replica' });
    const { services } = await connected({ url });
    await services.put(SERVICE);
    await services.remove({ serviceId: SERVICE.serviceId, by: 'tests' });
    const secrets = 'SELECT FROM distributed_service_secret';
    expect((await server.use(async (client) => client.query(secrets), HOSTILE_ROLE)).rows).toEqual([]);
  });

  test('with all of these settings for its database, in which it creates the tables', async () => {
    await changeSettings(server, HOSTILE_SETTINGS, `DATABASE ${HOSTILE_ROLE}`);
    const options = { url, schema: SCHEMA, deadlineMs: 10_000 };
    await expect(awkwardHistory(await connected(options), await connected(options))).resolves.toBeUndefined();
  });

  test('with settings in the options of its url', async () => {
    const given = new URL(url);
    given.searchParams.set('options', '-c bytea_output=escape -c standard_conforming_strings=off -c jit_above_cost=0');
    given.searchParams.set('application_name', 'orders');
    await expect(
      awkwardHistory(await connected({ url: given.href, deadlineMs: 10_000 }), other),
    ).resolves.toBeUndefined();
  });

  test("with the application's own parsers and defaults of pg", async () => {
    const all = Object.values(types.builtins).map((type) => [type, types.getTypeParser(type)] as const);
    for (const [type] of all) types.setTypeParser(type, () => 'something else');
    [defaults.parseInt8, defaults.binary] = [true, true];
    try {
      await expect(awkwardHistory(await connected({ url, deadlineMs: 10_000 }), other)).resolves.toBeUndefined();
    } finally {
      [defaults.parseInt8, defaults.binary] = [false, false];
      for (const [type, parser] of all) types.setTypeParser(type, parser);
    }
  });
});

describe('PostgresSessionStorage at start', () => {
  test('refuses a pool that returns binary results', async () => {
    const pool = new Pool({ connectionString: url, binary: true } as PoolConfig);
    cleanUps.push(async () => pool.end());
    expect(await settle(async () => connected({ pool }))).toMatchObject({
      outcome: 'ERR_OPTIONS',
      message: expect.stringContaining('set its binary, or defaults.binary of pg, to false'),
    });
  });

  test('warns that acknowledged writes may be lost, with synchronous_commit = off', async () => {
    await changeSettings(server, { synchronous_commit: 'off' });
    await connected({ url });
    expect(warned.mock.calls.map(([line]) => String(line))).toContainEqual(
      expect.stringContaining('synchronous_commit = off'),
    );
  });

  test('respects default_transaction_read_only: it reads, and reports that it does not write', async () => {
    await changeSettings(server, { default_transaction_read_only: 'on' });
    const storage = await connected({ url });
    expect(await storage.ping()).toEqual({
      writable: false,
      notes: ['PostgreSQL makes transactions read-only.'],
    });
    expect(await storage.listByLogin('nobody')).toEqual([]);
  });
});
