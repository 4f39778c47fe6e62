import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { Pool, type PoolConfig, types } from 'pg';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { settle } from '../support/storage/settled-call.js';
import { expectShared } from '../support/storage/shared-sessions.js';
import { created, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';

/** The beginning of the connections' application names; the feed's name is longer. */
const APPLICATION = 'tests-of-connections';
const SAFE = {
  connectionTimeoutMillis: 1_000,
  keepAlive: true,
} as const;

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

function urlWith(sslmode: string): string {
  return `${server.url}?sslmode=${sslmode}`;
}

function addressOf({ host, port, password }: PostgresServer) {
  return { host, port, user: 'postgres', password };
}

/** Whether a storage has several connections and all of them are encrypted. */
async function isEncrypted(): Promise<boolean> {
  const text = 'SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE $1';
  const rows = await server.query<{ ssl: boolean }>(text, [`${APPLICATION}%`]);
  return rows.length > 1 && rows.every(({ ssl }) => ssl);
}

describe('a pool that the program passes to PostgresSessionStorage', () => {
  test('works, stays open and unchanged, and serves a storage that is connected again', async () => {
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

  test('is used with a warning for each unsafe setting', async () => {
    const storage = await connected({ pool: ownPool({}) });
    const warnings = warned.mock.calls.map(([line]) => String(line));
    for (const name of Object.keys(SAFE)) expect(warnings).toContainEqual(expect.stringContaining(` ${name} `));
    await created(storage, 'alice');
  });

  test('may have its own type parsers, which do not change sessions', async () => {
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

describe('PostgresSessionStorage with TLS', () => {
  test.each<[string, () => PostgresSessionStorageOptions]>([
    ['options with the authority', () => ({ options: { ...addressOf(server), ssl: { ca: server.certificate } } })],
    [
      'a url, and options with the authority',
      () => ({ url: server.url, options: { ssl: { ca: server.certificate } } }),
    ],
    ['a url that disables verification', () => ({ url: urlWith('no-verify') })],
  ])('encrypts the connections of its pool and its feed, given %s', async (_name, optionsOf) => {
    const { options, ...rest } = optionsOf();
    const storage = await connected({ ...rest, options: { ...options, application_name: APPLICATION } });
    await expectShared(storage, await connected({ url: server.url }));
    expect(await isEncrypted()).toBe(true);
  });

  test.each<[string, () => PostgresSessionStorageOptions]>([
    ['a url that requires verification', () => ({ url: urlWith('verify-full') })],
    ['options without the authority', () => ({ options: { ...addressOf(server), ssl: true } })],
    ['options with another authority', () => ({ url: server.url, options: { ssl: { ca: [] } } })],
  ])('rejects a server with an untrusted certificate, given %s', async (_name, optionsOf) => {
    const storage = new PostgresSessionStorage({ ...optionsOf(), connectDeadlineMs: 500 });
    // On a busy machine the deadline may pass during a handshake, which leaves the reason unknown.
    await eventually(async () => {
      const { outcome, message = '' } = await settle(() => storage.connect());
      expect(outcome).toBe('ERR_STORAGE_UNAVAILABLE');
      return /cannot be reached \(\w*SELF_SIGNED\w*\)/u.test(message);
    });
  });
});
