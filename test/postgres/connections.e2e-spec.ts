import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { Pool, type PoolConfig, types } from 'pg';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { settle } from '../support/storage/settled-call.js';
import { RETENTION_MS, WRITES, created, creation } from '../support/storage/storage-calls.js';

/** What the names of connections begin with; that of the feed goes on. */
const APPLICATION = 'tests-of-connections';
const SAFE = {
  connectionTimeoutMillis: 1_000,
  statement_timeout: 900,
  lock_timeout: 800,
  idle_in_transaction_session_timeout: 1_000,
  keepAlive: true,
} as const;
const CLOSED = { outcome: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining('closed') };

const cleanUps: (() => Promise<unknown>)[] = [];
let server: PostgresServer;
let warned: jest.SpiedFunction<Logger['warn']>;

beforeAll(async () => {
  server = await PostgresServer.start({ ssl: true });
});

beforeEach(() => {
  warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  jest.restoreAllMocks();
});

afterAll(async () => {
  await server.stop();
});

async function connected(options: PostgresSessionStorageOptions): Promise<PostgresSessionStorage> {
  const storage = new PostgresSessionStorage(options);
  await storage.connect();
  cleanUps.push(async () => storage.close());
  return storage;
}

function ownPool(options: PoolConfig): Pool {
  const pool = new Pool({ connectionString: server.url, application_name: APPLICATION, ...options });
  cleanUps.push(async () => pool.end());
  return pool;
}

/** What is written on one side is read, and heard, on both. */
async function expectShared(storage: PostgresSessionStorage, other: PostgresSessionStorage): Promise<void> {
  const heard: StorageChange[][] = [[], []];
  [storage, other].forEach((each, at) => each.changes((change) => heard[at]!.push(change)));
  const loginId = storage.nextSessionId();
  const mine = await created(storage, loginId);
  const theirs = await created(other, loginId);
  expect(await other.get(mine.sessionId)).toEqual(mine);
  expect(await storage.listByLogin(loginId)).toEqual([mine, theirs]);
  await eventually(() => heard.every(({ length }) => length === 2));
  const all = [mine, theirs].map(({ sessionId }) => ({ type: 'session.created', sessionId }));
  expect(heard).toMatchObject([all, all]);
}

async function expectNobodyConnected(): Promise<void> {
  await eventually(async () => {
    const text = 'SELECT FROM pg_stat_activity WHERE application_name LIKE $1';
    return (await server.query(text, [`${APPLICATION}%`])).length === 0;
  });
}

/** A storage that is not connected. */
function storageOf(): PostgresSessionStorage {
  return new PostgresSessionStorage({
    url: server.url,
    deadlineMs: 5_000,
    options: { application_name: APPLICATION },
  });
}

function urlWith(sslmode: string): string {
  return `${server.url}?sslmode=${sslmode}`;
}

function addressOf({ host, port, password }: PostgresServer) {
  return { host, port, user: 'postgres', password };
}

/** Whether both connections at least of a storage are encrypted, and all of them. */
async function isEncrypted(): Promise<boolean> {
  const text = 'SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE $1';
  const rows = await server.query<{ ssl: boolean }>(text, [`${APPLICATION}%`]);
  return rows.length > 1 && rows.every(({ ssl }) => ssl);
}

describe('connect() and close()', () => {
  test('are counted: the first owner opens, the last closes, and then it can be opened again', async () => {
    const storage = storageOf();
    expect(await settle(() => storage.listByLogin('alice'))).toMatchObject(CLOSED);
    for (let round = 0; round < 2; round++) {
      await Promise.all([storage.connect(), storage.connect()]);
      await storage.close();
      const session = await created(storage, 'alice');
      await storage.close();
      await storage.close();
      expect(await settle(() => storage.get(session.sessionId))).toMatchObject(CLOSED);
      expect(await settle(() => WRITES.end(storage, session))).toMatchObject(CLOSED);
      await expectNobodyConnected();
    }
  });

  test('a storage that is closed lets the calls under way settle', async () => {
    const storage = storageOf();
    await storage.connect();
    const session = await created(storage, 'alice');
    server.freeze();
    const order: string[] = [];
    const calls = [() => storage.create(creation(storage, 'bob')), () => storage.get(session.sessionId)].map((call) =>
      settle(call).finally(() => order.push('call')),
    );
    const closing = storage.close().finally(() => order.push('close'));
    expect(await settle(() => storage.get(session.sessionId))).toMatchObject(CLOSED);
    server.resume();
    expect(await Promise.all(calls)).toMatchObject([{ outcome: 'created' }, { outcome: 'read' }]);
    await closing;
    expect(order).toEqual(['call', 'call', 'close']);
    await expectNobodyConnected();
  });

  test('a storage that is closed while it connects leaves nothing open, and can be connected again', async () => {
    const storage = storageOf();
    server.freeze();
    const connecting = settle(() => storage.connect());
    const closing = storage.close();
    server.resume();
    expect(await connecting).toMatchObject(CLOSED);
    await closing;
    await expectNobodyConnected();
    await storage.connect();
    await created(storage, 'alice');
    await storage.close();
  });
});

describe('a pool of the user’s own', () => {
  test('works, is left open and as it was, and the storage can be connected again', async () => {
    const pool = ownPool({ ...SAFE, max: 2 });
    const storage = new PostgresSessionStorage({ pool });
    for (let round = 0; round < 2; round++) {
      await storage.connect();
      await expectShared(storage, await connected({ url: server.url }));
      await storage.close();
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      expect([pool.eventNames(), pool.totalCount - pool.idleCount]).toEqual([[], 0]);
    }
    expect(warned).not.toHaveBeenCalled();
  });

  test('is warned about where a setting of it is dangerous, and used all the same', async () => {
    const storage = await connected({ pool: ownPool({}) });
    const warnings = warned.mock.calls.map(([line]) => String(line));
    for (const name of Object.keys(SAFE)) expect(warnings).toContainEqual(expect.stringContaining(` ${name} `));
    await created(storage, 'alice');
  });

  test('may read values in other ways: sessions are what they are', async () => {
    const parsed = [types.builtins.INT8, types.builtins.BOOL, types.builtins.TEXT, types.builtins.BYTEA].map(
      (type) => [type, types.getTypeParser(type)] as const,
    );
    for (const [type] of parsed) types.setTypeParser(type, () => 'something else');
    types.setTypeParser(types.builtins.INT8, BigInt);
    cleanUps.push(async () => parsed.forEach(([type, parser]) => types.setTypeParser(type, parser)));
    const storage = await connected({ pool: ownPool(SAFE) });
    await expectShared(storage, await connected({ url: server.url }));
    const session = await created(storage, 'parsed');
    expect(await storage.listLogins({ limit: 1_000 })).toMatchObject({
      logins: expect.arrayContaining([{ loginId: 'parsed', sessions: 1 }]),
    });
    expect(await storage.touch([session.sessionId])).toMatchObject([{ sessionId: session.sessionId }]);
    expect(await WRITES.endAll(storage, session)).toMatchObject([{ reason: 'kicked-out' }]);
    expect(await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS })).toBe(0);
    expect(await storage.ping()).toEqual({ writable: true, notes: [] });
  });
});

describe('TLS', () => {
  test.each<[string, () => PostgresSessionStorageOptions]>([
    ['options with the authority', () => ({ options: { ...addressOf(server), ssl: { ca: server.certificate } } })],
    [
      'a url, and options with the authority',
      () => ({ url: server.url, options: { ssl: { ca: server.certificate } } }),
    ],
    ['a url that asks for no check', () => ({ url: urlWith('no-verify') })],
  ])('is used for statements and the feed alike: %s', async (_name, optionsOf) => {
    const { options, ...rest } = optionsOf();
    const storage = await connected({ ...rest, options: { ...options, application_name: APPLICATION } });
    await expectShared(storage, await connected({ url: server.url }));
    expect(await isEncrypted()).toBe(true);
  });

  test.each<[string, () => PostgresSessionStorageOptions]>([
    ['a url that asks for a check', () => ({ url: urlWith('verify-full') })],
    ['options without the authority', () => ({ options: { ...addressOf(server), ssl: true } })],
    ['options with another authority', () => ({ url: server.url, options: { ssl: { ca: [] } } })],
  ])('is not used where nobody vouches for the server: %s', async (_name, optionsOf) => {
    const storage = new PostgresSessionStorage({ ...optionsOf(), connectDeadlineMs: 500 });
    // On a busy machine the time may be up within a handshake: then no reason is known.
    await eventually(async () => {
      const { outcome, message = '' } = await settle(() => storage.connect());
      expect(outcome).toBe('ERR_STORAGE_UNAVAILABLE');
      return /cannot be reached \(\w*SELF_SIGNED\w*\)/u.test(message);
    });
  });
});
