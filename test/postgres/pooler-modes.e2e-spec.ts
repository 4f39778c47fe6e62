import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { Pool } from 'pg';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import { SHARED_POOL } from '../support/postgres/pooled-fixture.js';
import { usePgbouncer } from '../support/postgres/use-pgbouncer.js';
import { settle } from '../support/storage/settled-call.js';
import { expectShared } from '../support/storage/shared-sessions.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

const context = usePgbouncer();
const { pooled, connected, later } = context;

afterEach(() => {
  jest.restoreAllMocks();
});

/** The error of a storage that must not start. */
async function refusal(options: PostgresSessionStorageOptions): Promise<string> {
  const { outcome, message = '' } = await settle(async () => connected(options));
  expect(outcome).toBe('ERR_OPTIONS');
  return message;
}

/** Makes every kind of call, several at once, and returns the outcomes of those that failed. */
async function failures(storage: PostgresSessionStorage): Promise<string[]> {
  const rounds = Array.from({ length: 8 }, async (_, n) => {
    const outcomes: string[] = [];
    for (const call of [...Object.values(WRITES), ...Object.values(READS)]) {
      const session = await created(storage, `user-${n}`);
      const { outcome, message } = await settle(async () => call(storage, session));
      if (outcome.startsWith('ERR_')) outcomes.push(`${outcome}: ${message}`);
    }
    return outcomes;
  });
  return (await Promise.all(rounds)).flat();
}

/** What the pooler's server sessions hold besides their defaults. */
async function leftBehind(url: string): Promise<unknown> {
  const text = `SELECT (SELECT count(*)::integer FROM pg_prepared_statements) AS statements,
    (SELECT count(*)::integer FROM pg_listening_channels()) AS channels,
    (SELECT count(*)::integer FROM pg_settings WHERE source = 'session' AND name NOT IN
      ('client_encoding', 'application_name', 'DateStyle', 'TimeZone', 'standard_conforming_strings')) AS settings,
    (SELECT count(*)::integer FROM pg_locks WHERE locktype = 'advisory') AS locks`;
  return withPostgres(url, async (client) => (await client.query(text)).rows);
}

const NOTHING = [{ statements: 0, channels: 0, settings: 0, locks: 0 }];

describe('PostgresSessionStorage through PgBouncer with its defaults, in session mode,', () => {
  test('starts, runs every call, and receives changes', async () => {
    const url = (await pooled()).urlOf(context.server.url);
    const storage = await connected({ url });
    expect(await failures(storage)).toEqual([]);
    await expectShared(storage, await connected({ url: context.server.url }));
  });

  test("works with the application's own pool", async () => {
    const connectionString = (await pooled()).urlOf(context.server.url);
    const pool = new Pool({ connectionString, max: 4, connectionTimeoutMillis: 1_000, keepAlive: true });
    later(async () => pool.end());
    const storage = await connected({ pool });
    expect(await failures(storage)).toEqual([]);
    await expectShared(storage, await connected({ url: context.server.url }));
  });
});

describe('PostgresSessionStorage through PgBouncer in transaction mode', () => {
  test.each([1, 2, 5])('is refused at start without a way to receive changes: %i server connections', async (size) => {
    const pooler = await pooled({ ...SHARED_POOL, default_pool_size: size });
    const url = pooler.urlOf(context.server.url);
    expect(await refusal({ url, options: { max: 1 } })).toMatch(
      /a pooler in transaction mode is in front of it.*: set feedUrl .*, or feedPollIntervalMs/u,
    );
    expect(await leftBehind(url)).toEqual(NOTHING);
  });

  test.each<[string, (direct: string) => PostgresSessionStorageOptions]>([
    ['a feedUrl', (direct) => ({ feedUrl: direct })],
    ['polling', () => ({ feedPollIntervalMs: 20 })],
  ])('runs every call with %s, receives changes, and leaves nothing in a server session', async (_name, feedOf) => {
    const url = (await pooled(SHARED_POOL)).urlOf(context.server.url);
    const storage = await connected({ url, ...feedOf(context.server.url) });
    expect(await failures(storage)).toEqual([]);
    await expectShared(storage, await connected({ url: context.server.url }));
    expect(await leftBehind(url)).toEqual(NOTHING);
  });

  test.each<[string, (direct: string) => PostgresSessionStorageOptions]>([
    ['two connections and polling', () => ({ feedPollIntervalMs: 20 })],
    ['one connection and a feedUrl', (direct) => ({ feedUrl: direct })],
  ])("works with the application's own pool of %s", async (name, feedOf) => {
    const url = (await pooled(SHARED_POOL)).urlOf(context.server.url);
    const max = name.startsWith('one') ? 1 : 2;
    const pool = new Pool({ connectionString: url, max, connectionTimeoutMillis: 10_000, keepAlive: true });
    later(async () => pool.end());
    const storage = await connected({ pool, deadlineMs: 10_000, ...feedOf(context.server.url) });
    expect(await failures(storage)).toEqual([]);
    await expectShared(storage, await connected({ url: context.server.url }));
    expect(await leftBehind(url)).toEqual(NOTHING);
  });

  test('gives up on a lock before its deadline, as not applied, and continues', async () => {
    const url = (await pooled(SHARED_POOL)).urlOf(context.server.url);
    const storage = await connected({ url, feedUrl: context.server.url, deadlineMs: 2_000 });
    const session = await created(storage, 'held');
    await context.server.use(async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM distributed_session WHERE session_id = $1 FOR UPDATE', [session.sessionId]);
      expect(await settle(() => WRITES.end(storage, session))).toMatchObject({
        outcome: 'ERR_STORAGE_UNAVAILABLE',
        message: expect.stringContaining('timed out waiting for a lock'),
      });
      await client.query('ROLLBACK');
    });
    expect((await settle(() => WRITES.end(storage, session))).outcome).toBe('ended');
  });

  test('is stated by ?pgbouncer=true, and by an option', async () => {
    const pooler = await pooled({ pool_mode: 'session' });
    const url = pooler.urlOf(context.server.url);
    expect(await refusal({ url: `${url}?pgbouncer=true` })).toContain('set feedUrl');
    expect(await refusal({ url, pooling: 'transaction' })).toContain('set feedUrl');
    const storage = await connected({ url: `${url}?pgbouncer=true`, feedUrl: context.server.url });
    expect(await failures(storage)).toEqual([]);
  });

  test('is noticed when a pooler changes to it while it is in use', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const pooler = await pooled();
    const url = pooler.urlOf(context.server.url);
    const storage = await connected({ url, feedUrl: context.server.url, options: { max: 8, idleTimeoutMillis: 1 } });
    await failures(storage);
    await pooler.command("SET pool_mode = 'transaction'");
    await pooler.command('SET default_pool_size = 2');
    await eventually(async () => (await context.server.query(CLIENTS)).length === 0);
    expect(await failures(storage)).toEqual([]);
    expect(await failures(storage)).toEqual([]);
    expect(warned.mock.calls.map(([line]) => String(line))).toContainEqual(
      expect.stringContaining("Set pooling to 'transaction', and feedUrl"),
    );
  });
});

/** The server connections of the pool; the feed's are past the pooler. */
const CLIENTS = `SELECT FROM pg_stat_activity WHERE application_name = 'nestjs-distributed-session'`;

describe('The feedUrl of PostgresSessionStorage', () => {
  test('is refused when it leads through a pooler in transaction mode', async () => {
    const url = (await pooled(SHARED_POOL)).urlOf(context.server.url);
    expect(await refusal({ url, feedUrl: url })).toMatch(/feedUrl.*pooler in transaction mode: set it to an address/su);
  });

  test('is refused when it leads to another database', async () => {
    const url = (await pooled(SHARED_POOL)).urlOf(context.server.url);
    const feedUrl = await context.server.createDatabase();
    expect(await refusal({ url, feedUrl })).toMatch(/feedUrl.*another server or database/su);
  });

  test('inherits what it omits, and may lead through a pooler in session mode', async () => {
    const url = (await pooled(SHARED_POOL)).urlOf(context.server.url);
    const { host } = new URL((await pooled()).urlOf(context.server.url));
    const storage = await connected({ url, feedUrl: `postgres://${host}` });
    await expectShared(storage, await connected({ url: context.server.url }));
    expect(storage.feedLagMs()).toBeLessThan(Infinity);
  });
});
