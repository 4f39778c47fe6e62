import { describe, expect, test } from '@jest/globals';
import type { PostgresSessionStorage, PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { Client } from 'pg';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import type { Pgbouncer } from '@distributed-session/test-servers/pgbouncer/pgbouncer.js';
import { SHARED_POOL } from '../support/postgres/pooled-fixture.js';
import { usePgbouncer } from '../support/postgres/use-pgbouncer.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { settle } from '../support/storage/settled-call.js';
import { expectShared } from '../support/storage/shared-sessions.js';
import { slackMs } from '../support/storage/slack.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

const context = usePgbouncer();
const { pooled, connected, later } = context;
/** How a storage is connected behind a pooler in each mode. */
const MODES: [string, Record<string, string | number>, () => PostgresSessionStorageOptions][] = [
  ['session', {}, () => ({})],
  ['transaction', SHARED_POOL, () => ({ feedUrl: context.server.url })],
];

function urlAt(pooler: Pgbouncer, change: (url: URL) => void): string {
  const url = new URL(pooler.urlOf(context.server.url));
  change(url);
  return url.href;
}

/** Takes this many connections through the pooler, each with a transaction in progress. */
async function occupy(pooler: Pgbouncer, count: number): Promise<Client[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = new Client(pooler.urlOf(context.server.url));
      client.on('error', () => undefined);
      await client.connect();
      await client.query('BEGIN');
      later(async () => client.end());
      return client;
    }),
  );
}

async function works(storage: PostgresSessionStorage): Promise<boolean> {
  return (await settle(() => created(storage, 'after'))).outcome === 'read';
}

describe('PostgresSessionStorage.connect() through PgBouncer fails without waiting, and repeats its words, given', () => {
  test.each<[string, RegExp, (pooler: Pgbouncer) => string]>([
    [
      'a wrong password',
      /the user or the password is wrong, or the pooler has another one.*\("password authentication failed", SQLSTATE 08P01\)/u,
      (pooler) => urlAt(pooler, (url) => (url.password = 'wrong')),
    ],
    [
      'an unknown user',
      /the user or the password is wrong.*\("password authentication failed", SQLSTATE 08P01\)/u,
      (pooler) => urlAt(pooler, (url) => (url.username = 'nobody')),
    ],
    [
      'an unknown database',
      /does not have this database: create it.*\("database "no-such" does not exist", SQLSTATE 08P01\)/u,
      (pooler) => urlAt(pooler, (url) => (url.pathname = '/no-such')),
    ],
    [
      'a start-up parameter that it rejects',
      /remove it from the url.*ignore_startup_parameters.*\("unsupported startup parameter: options", SQLSTATE 08P01\)/u,
      (pooler) => urlAt(pooler, (url) => url.searchParams.set('options', '-c search_path=public')),
    ],
  ])('%s', async (_name, expected, urlOf) => {
    const url = urlOf(await pooled());
    const failed = await settle(async () => connected({ url, connectDeadlineMs: 60_000 }));
    expect(failed).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringMatching(expected) });
  });
});

describe('PostgresSessionStorage.connect() through PgBouncer waits until its deadline, and names the cause, given', () => {
  test.each<[string, RegExp, Record<string, number>]>([
    ['no client connection left', /"no more connections allowed \(max_client_conn\)"/u, { max_client_conn: 4 }],
    ['a full pool', /ran no statement in time.*raise the size of its pool/u, { default_pool_size: 3 }],
    [
      'a full pool that rejects waiting clients',
      /"query_wait_timeout"/u,
      { default_pool_size: 3, query_wait_timeout: 1 },
    ],
  ])('%s; it starts when there is room', async (_name, expected, settings) => {
    const pooler = await pooled(settings);
    const holders = await occupy(pooler, 3);
    const url = pooler.urlOf(context.server.url);
    expect(await settle(async () => connected({ url, connectDeadlineMs: 3_000, deadlineMs: 5_000 }))).toMatchObject({
      outcome: 'ERR_STORAGE_UNAVAILABLE',
      message: expect.stringMatching(expected),
    });
    const waiting = connected({ url, connectDeadlineMs: 60_000, options: { max: 1 } });
    for (const holder of holders) await holder.end();
    expect(await works(await waiting)).toBe(true);
  });

  test('a server that is down, and starts when it is back', async () => {
    const pooler = await pooled({ server_login_retry: 1, query_wait_timeout: 1 });
    const url = pooler.urlOf(context.server.url);
    await context.server.kill();
    expect(await settle(async () => connected({ url, connectDeadlineMs: 2_000 }))).toMatchObject({
      outcome: 'ERR_STORAGE_UNAVAILABLE',
    });
    const waiting = connected({ url, connectDeadlineMs: 60_000 });
    await context.server.restart();
    expect(await works(await waiting)).toBe(true);
  });
});

describe.each(MODES)('PostgresSessionStorage through PgBouncer in %s mode', (_mode, settings, optionsOf) => {
  test('recovers by itself after the pooler was restarted', async () => {
    const pooler = await pooled(settings);
    const storage = await connected({ url: pooler.urlOf(context.server.url), ...optionsOf() });
    const session = await created(storage, 'restarted');
    await pooler.end();
    expect((await settle(() => READS.get(storage, session))).outcome).toBe('ERR_STORAGE_UNAVAILABLE');
    const startedAt = performance.now();
    await pooler.restart();
    await eventually(async () => works(storage));
    expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
    expect(await storage.get(session.sessionId)).toEqual(session);
    await eventually(() => storage.feedLagMs() < 3_000);
    await expectShared(storage, await connected({ url: context.server.url }));
  });

  test('ends every call by its deadline while the pooler is paused, and continues', async () => {
    const deadlineMs = 500;
    const pooler = await pooled(settings);
    const storage = await connected({
      url: pooler.urlOf(context.server.url),
      ...optionsOf(),
      deadlineMs,
      connectDeadlineMs: 1_000,
    });
    const session = await created(storage, 'paused');
    await storage.close();
    // A connection in session mode keeps its server connection, and would keep the pooler from pausing.
    await pooler.command('PAUSE');
    expect(await settle(async () => storage.connect())).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
    await pooler.command('RESUME');
    await storage.connect();
    expect(await storage.get(session.sessionId)).toEqual(session);
  });

  test('survives the end of idle server connections', async () => {
    const pooler = await pooled({ ...settings, server_idle_timeout: 1, server_lifetime: 1, server_check_delay: 0 });
    const storage = await connected({ url: pooler.urlOf(context.server.url), ...optionsOf() });
    const session = await created(storage, 'idle');
    const idle = `SELECT FROM pg_stat_activity WHERE application_name = 'nestjs-distributed-session'`;
    if (settings === SHARED_POOL) await eventually(async () => (await context.server.query(idle)).length === 0);
    expect((await settle(() => WRITES.replace(storage, session))).outcome).toBe('replaced');
  });
});

describe('PostgresSessionStorage through PgBouncer in transaction mode, paused while it is in use,', () => {
  test('ends every call by its deadline, and applies nothing afterwards', async () => {
    const deadlineMs = 500;
    const pooler = await pooled(SHARED_POOL);
    const storage = await connected({
      url: pooler.urlOf(context.server.url),
      feedUrl: context.server.url,
      deadlineMs,
    });
    const session = await created(storage, 'paused-in-use');
    await pooler.command('PAUSE');
    const calls = [...Object.values(WRITES), ...Object.values(READS)];
    const settled = await Promise.all(calls.map(async (call) => settle(() => call(storage, session))));
    for (const { outcome, ms } of settled) {
      expect(outcome).toMatch(/^ERR_STORAGE_(?:UNAVAILABLE|OUTCOME_UNKNOWN)$/u);
      expect(ms).toBeLessThan(deadlineMs + slackMs());
    }
    await pooler.command('RESUME');
    await eventually(async () => works(storage));
    expect(await storage.listByLogin(session.loginId)).toEqual([session]);
  });
});
