import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { type Client, Pool } from 'pg';
import { FEED_RETENTION_MS } from '../../libs/distributed-session/src/storage/postgres/functions/flush-changes.function.js';
import { SchemaNames } from '../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import { openPostgresPair } from '../support/postgres/postgres-storage-pair.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { useServerPair } from '../support/storage/use-server-pair.js';

const HEARTBEAT_MS = 100;
const HOUR_MS = 3_600_000;
const names = new SchemaNames('public', 'distributed_');
const STRANGER = 'stranger_without_grants';

const context = useServerPair(
  async () => {
    const server = await PostgresServer.start({ settings: { log_statement: 'all' } });
    await server.query(`CREATE ROLE ${STRANGER} LOGIN PASSWORD '${STRANGER}'`);
    return server;
  },
  (server) => openPostgresPair(server, { heartbeatIntervalMs: HEARTBEAT_MS, deadlineMs: 10_000 }),
);
let received: StorageChange[];

beforeEach(() => {
  received = [];
  context.pair.storage.changes((change) => received.push(change));
});

/** Runs SQL in the pair's database, as the owner of the tables. */
const asOwner = async (text: string) => context.server.use(async (client) => client.query(text), context.pair.database);

/** Runs the work on a connection of a role without any grant, and passes it what arrives on the channel. */
async function asStranger<T>(work: (client: Client, messages: readonly string[]) => Promise<T>): Promise<T> {
  const url = new URL(context.server.url);
  [url.username, url.password, url.pathname] = [STRANGER, STRANGER, context.pair.database];
  return withPostgres(url.href, async (client) => {
    const messages: string[] = [];
    client.on('notification', ({ payload = '' }) => messages.push(payload));
    await client.query(`LISTEN ${names.channel}`);
    return work(client, messages);
  });
}

async function notify(client: Client, payload: string): Promise<void> {
  await client.query('SELECT pg_notify($1, $2)', [names.channel, payload]);
}

/** Sets the clock that the storage's functions read. */
async function stepClock(stepMs: number): Promise<void> {
  await asOwner(`CREATE OR REPLACE FUNCTION distributed_now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + ${stepMs}'`);
}

/** The numbers of the changes that can be read. */
async function numbers(): Promise<number[]> {
  const { rows } = await asOwner('SELECT number::integer FROM distributed_session_feed ORDER BY number');
  return (rows as { number: number }[]).map(({ number }) => number);
}

/** Expects the feed to deliver the changes of one session, in order and once, and nothing else. */
async function expectDelivery(loginId: string): Promise<void> {
  received.length = 0;
  const session = await created(context.pair.witness, loginId);
  await WRITES.replace(context.pair.witness, session);
  await WRITES.end(context.pair.witness, session);
  await eventually(() => received.some(({ type }) => type === 'session.ended'));
  expect(received.map(({ type }) => type)).toEqual(['session.created', 'session.updated', 'session.ended']);
}

/** A pool whose connections listen to nothing, as those of a pooler in transaction mode. */
function deafPool(): Pool {
  const url = new URL(context.server.url);
  url.pathname = context.pair.database;
  const pool = new Pool({ connectionString: url.href });
  const connect = pool.connect.bind(pool);
  pool.connect = (async () => {
    const client = await connect();
    const query = client.query.bind(client) as (config: { text: string }) => Promise<unknown>;
    client.query = (async (config: { text: string }) =>
      config.text.startsWith('LISTEN') ? { rows: [] } : query(config)) as typeof client.query;
    return client;
  }) as typeof pool.connect;
  return pool;
}

const about = {
  sessionId: '00000000-0000-4000-8000-000000000001',
  loginId: 'alice',
  serviceId: 's',
  version: 1,
  by: 's',
};
/** What earlier builds trusted, what this one sends, and texts that nobody sends. */
const FORGERIES: readonly string[] = [
  JSON.stringify({ type: 'session.ended', ...about, reason: 'kicked-out', at: 1 }),
  JSON.stringify({ type: 'session.created', ...about, at: 1 }),
  JSON.stringify({ type: 'service.changed', change: 'revoked', serviceId: 'orders', by: 's', at: 1 }),
  JSON.stringify({ type: 'feed.gap', at: 1 }),
  JSON.stringify({ type: 'beat', at: Date.now() + HOUR_MS }),
  '',
  '0',
  '999999999999',
  '9007199254740993',
  '-1',
  'NaN',
  '{',
  'x'.repeat(7_000),
];

describe('a PostgreSQL role without grants', () => {
  test('receives no login id, session id or service id from the channel of the change feed, only numbers', async () => {
    await asStranger(async (client, messages) => {
      await expectDelivery('carol');
      await context.pair.witness.services.put(SERVICE);
      await eventually(() => received.some(({ type }) => type === 'service.changed'));
      await notify(client, 'last');
      await eventually(() => messages.includes('last'));
      expect(messages.length).toBeGreaterThan(1);
      expect(messages.filter((message) => message !== 'last' && !/^\d{0,19}$/u.test(message))).toEqual([]);
      for (const table of ['session_feed', 'session_change', 'session', 'service']) {
        await expect(client.query(`SELECT FROM distributed_${table}`)).rejects.toMatchObject({ code: '42501' });
      }
    });
  });

  test('publishes no change and no gap with forged notifications', async () => {
    await asStranger(async (client, messages) => {
      for (const forgery of FORGERIES) await notify(client, forgery);
      await eventually(() => FORGERIES.every((forgery) => messages.includes(forgery)));
    });
    await expectDelivery('dave');
    expect(received).toHaveLength(3);
  });

  test('does not shorten the lag of a feed that cannot read', async () => {
    const { storage } = context.pair;
    // Held as by a flush that hangs: no process can publish.
    await context.server.use(async (owner) => {
      await owner.query(names.sql('SELECT pg_advisory_lock({feed_lock})'));
      await eventually(() => storage.feedLagMs() > 5 * HEARTBEAT_MS);
      const lags = await asStranger(async (client, messages) => {
        const seen: number[] = [];
        for (const forgery of FORGERIES) {
          await notify(client, forgery);
          await eventually(() => messages.includes(forgery));
          seen.push(storage.feedLagMs());
        }
        return seen;
      });
      expect(lags).toEqual(lags.toSorted((one, other) => one - other));
    }, context.pair.database);
    await eventually(() => storage.feedLagMs() < 5 * HEARTBEAT_MS);
  });

  test('causes a bounded number of reads with a flood of notifications, and delays no change', async () => {
    const feed = 'proxied (change feed)';
    const readsOf = async () => (await context.server.statementsOf(feed)).length;
    const startedAt = performance.now();
    const before = await readsOf();
    await asStranger(async (client, messages) => {
      await client.query(`SELECT pg_notify($1, 'flood ' || n) FROM generate_series(1, 5000) AS n`, [names.channel]);
      await expectDelivery('erin');
      await client.query(`SELECT pg_notify($1, 'again ' || n) FROM generate_series(1, 5000) AS n`, [names.channel]);
      await eventually(() => messages.includes('again 5000'));
      await expectDelivery('frank');
    });
    const reads = (await readsOf()) - before;
    const elapsedMs = performance.now() - startedAt;
    expect(reads).toBeLessThanOrEqual(elapsedMs / 10 + elapsedMs / HEARTBEAT_MS + 2);
  });
});

describe('a step of the server clock', () => {
  test.each([
    ['back by an hour', -HOUR_MS],
    ['forward by an hour', HOUR_MS],
    ['back by three hours', -3 * HOUR_MS],
    ['forward by three hours', 3 * HOUR_MS],
  ])('%s delays no change, and a revoked service is refused by every process', async (_name, stepMs) => {
    const { storage, witness } = context.pair;
    const managers = [storage, witness].map((each) => new DistributedSessionManager({ serviceId: 'm', storage: each }));
    const [here, there] = managers as [DistributedSessionManager, DistributedSessionManager];
    await Promise.all(managers.map(async (manager) => manager.connect()));
    try {
      const { secret } = await here.registerService({
        serviceId: 'orders',
        serviceName: 'Orders',
        permissions: ['session.read'],
      });
      await eventually(() => received.some(({ type }) => type === 'service.changed'));
      await here.verifyService('orders', secret);
      await expectDelivery('grace');
      await stepClock(stepMs);
      await expectDelivery('heidi');
      await there.revokeService('orders');
      await eventually(async () =>
        here.verifyService('orders', secret).then(
          () => false,
          () => true,
        ),
      );
      await eventually(() => received.some((entry) => 'change' in entry && entry.change === 'revoked'));
      // The lag is measured, not stuck: it goes down with each heartbeat, and up in between.
      let [beats, last] = [0, 0];
      await eventually(() => {
        const lag = storage.feedLagMs();
        if (lag < last) beats += 1;
        last = lag;
        return beats >= 3;
      });
      expect(storage.feedLagMs()).toBeLessThan(5_000);
      await eventually(() => Math.abs(storage.now() - (Date.now() + stepMs)) < 5_000);
      await stepClock(0);
      await expectDelivery('ivan');
    } finally {
      await Promise.all(managers.map(async (manager) => manager.close()));
    }
  });
});

describe('the change feed of PostgresSessionStorage', () => {
  test.each([
    ['were deleted before this process read them', 'UPDATE distributed_session_feed SET number = number + 100'],
    ['went back', 'UPDATE distributed_session_feed SET number = number - 1'],
    ['were given to other changes', 'UPDATE distributed_session_feed SET published_at = published_at + 1'],
  ])('delivers one gap when the numbers %s, as after a restore, and every change after it', async (_name, edit) => {
    await expectDelivery('judy');
    received.length = 0;
    await asOwner(edit);
    await eventually(() => received.length > 0);
    expect(received).toEqual([{ type: 'feed.gap', at: expect.any(Number) }]);
    await expectDelivery('kim');
  });

  test.each([
    ['older than a minute', -FEED_RETENTION_MS - 1],
    ['of the future, because the clock was set back', FEED_RETENTION_MS + HOUR_MS],
  ])('deletes changes that are %s, except the newest', async (_name, ageMs) => {
    await expectDelivery('leo');
    const newest = (await numbers()).at(-1)!;
    await asOwner(`UPDATE distributed_session_feed SET published_at = distributed_now_ms() + ${ageMs}`);
    await eventually(async () => (await numbers()).length === 1);
    expect(await numbers()).toEqual([newest]);
    await eventually(() => received.at(-1)?.type === 'feed.gap');
    await expectDelivery('mike');
    expect((await numbers()).at(-1)).toBe(newest + 3);
  });

  test('delivers more changes than one read returns, in order', async () => {
    const { witness } = context.pair;
    const session = await created(witness, 'nina');
    await eventually(() => received.length === 1);
    received.length = 0;
    const change = JSON.stringify({ ...about, sessionId: session.sessionId, at: 1, type: 'session.updated' });
    await asOwner(`INSERT INTO distributed_session_change (change)
      SELECT replace('${change}', '"version":1', '"version":' || n) FROM generate_series(1, 2500) AS n`);
    await eventually(() => received.length >= 2_500);
    const versions = received.map((entry) => 'version' in entry && entry.version);
    expect(versions).toEqual(Array.from({ length: 2_500 }, (_, n) => n + 1));
  });

  test('delivers changes without notifications, as behind a pooler, and without a gap; the lag stays known', async () => {
    const pool = deafPool();
    const deaf = new PostgresSessionStorage({ pool, heartbeatIntervalMs: HEARTBEAT_MS });
    await deaf.connect();
    try {
      const changes: StorageChange[] = [];
      deaf.changes((change) => changes.push(change));
      for (let n = 0; n < 10; n++) {
        await created(context.pair.witness, `oscar-${n}`);
        await eventually(() => changes.length > n);
        expect(deaf.feedLagMs()).toBeLessThan(Infinity);
      }
      expect(new Set(changes.map(({ type }) => type))).toEqual(new Set(['session.created']));
    } finally {
      await deaf.close();
      await pool.end();
    }
  });
});
