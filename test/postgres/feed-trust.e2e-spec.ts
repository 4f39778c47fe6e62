import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import type { Client } from 'pg';
import { BURST } from '../../libs/distributed-session/src/storage/postgres/feed/paced-rounds.js';
import { SchemaNames } from '../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import { HEARTBEAT_MS, HOUR_MS, STRANGER, useFeedPair } from '../support/postgres/feed-pair.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { created } from '../support/storage/storage-calls.js';

const names = new SchemaNames('public', 'distributed_');
const feed = useFeedPair();
const SESSION_ID = '00000000-0000-4000-8000-000000000001';

/** Runs the work on a connection of a role without any grant, and passes it what arrives on the channel. */
async function asStranger<T>(work: (client: Client, messages: readonly string[]) => Promise<T>): Promise<T> {
  const url = new URL(feed.server.url);
  [url.username, url.password, url.pathname] = [STRANGER, STRANGER, feed.pair.database];
  return withPostgres(url.href, async (client) => {
    const messages: string[] = [];
    client.on('notification', ({ payload = '' }) => messages.push(payload));
    await client.query(`LISTEN ${names.channel}`);
    return work(client, messages);
  });
}

/** The number of statements of the pair's feed. */
const readsUntilNow = async () => (await feed.server.statementsOf('proxied (change feed)')).length;

async function notify(client: Client, payload: string): Promise<void> {
  await client.query('SELECT pg_notify($1, $2)', [names.channel, payload]);
}

/** What earlier builds trusted, what this one sends, and texts that nobody sends. */
const FORGERIES: readonly string[] = [
  JSON.stringify({
    type: 'session.ended',
    sessionId: SESSION_ID,
    loginId: 'alice',
    serviceId: 's',
    version: 1,
    by: 's',
    reason: 'kicked-out',
    at: 1,
  }),
  JSON.stringify({
    type: 'session.created',
    sessionId: SESSION_ID,
    loginId: 'alice',
    serviceId: 's',
    version: 1,
    by: 's',
    at: 1,
  }),
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
      await feed.expectDelivery('carol');
      await feed.pair.witness.services.put(SERVICE);
      await eventually(() => feed.received.some(({ type }) => type === 'service.changed'));
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
    await feed.expectDelivery('dave');
    expect(feed.received).toHaveLength(3);
  });

  test('does not shorten the lag of a feed that cannot read', async () => {
    const { storage } = feed.pair;
    // Held as by a flush that hangs: no process can publish.
    await feed.server.use(async (owner) => {
      await owner.query('BEGIN');
      await owner.query(`SELECT FROM distributed_session_lock WHERE purpose = 'feed' FOR UPDATE`);
      await created(feed.pair.witness, 'waits for its publication');
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
    }, feed.pair.database);
    await eventually(() => storage.feedLagMs() < 5 * HEARTBEAT_MS);
  });

  test('causes a bounded number of reads with a flood of notifications, and delays no change', async () => {
    const startedAt = performance.now();
    const before = await readsUntilNow();
    await asStranger(async (client, messages) => {
      await client.query(`SELECT pg_notify($1, 'flood ' || n) FROM generate_series(1, 5000) AS n`, [names.channel]);
      await feed.expectDelivery('erin');
      await client.query(`SELECT pg_notify($1, 'again ' || n) FROM generate_series(1, 5000) AS n`, [names.channel]);
      await eventually(() => messages.includes('again 5000'));
      await feed.expectDelivery('frank');
    });
    const reads = (await readsUntilNow()) - before;
    const elapsedMs = performance.now() - startedAt;
    expect(reads).toBeLessThanOrEqual(BURST + elapsedMs / 10 + elapsedMs / HEARTBEAT_MS + 2);
  });
});
