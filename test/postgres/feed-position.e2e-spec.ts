import { describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { Pool } from 'pg';
import { FEED_RETENTION_MS } from '../../libs/distributed-session/src/storage/postgres/functions/flush-changes.function.js';
import { HEARTBEAT_MS, HOUR_MS, useFeedPair } from '../support/postgres/feed-pair.js';
import { created } from '../support/storage/storage-calls.js';

const feed = useFeedPair();

/** The numbers of the changes that can be read. */
async function numbers(): Promise<number[]> {
  const { rows } = await feed.asOwner('SELECT number::integer FROM distributed_session_feed ORDER BY number');
  return (rows as { number: number }[]).map(({ number }) => number);
}

/** A pool whose connections listen to nothing, as those of a pooler in transaction mode. */
function deafPool(): Pool {
  const url = new URL(feed.server.url);
  url.pathname = feed.pair.database;
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

describe('the change feed of PostgresSessionStorage', () => {
  test.each([
    ['were deleted before this process read them', 'UPDATE distributed_session_feed SET number = number + 100'],
    ['went back', 'UPDATE distributed_session_feed SET number = number - 1'],
    ['were given to other changes', 'UPDATE distributed_session_feed SET published_at = published_at + 1'],
  ])('delivers one gap when the numbers %s, as after a restore, and every change after it', async (_name, edit) => {
    await feed.expectDelivery('judy');
    feed.received.length = 0;
    await feed.asOwner(edit);
    await eventually(() => feed.received.length > 0);
    expect(feed.received).toEqual([{ type: 'feed.gap', at: expect.any(Number) }]);
    await feed.expectDelivery('kim');
  });

  test.each([
    ['older than a minute', -FEED_RETENTION_MS - 1],
    ['of the future, because the clock was set back', FEED_RETENTION_MS + HOUR_MS],
  ])('deletes changes that are %s, except the newest', async (_name, ageMs) => {
    await feed.expectDelivery('leo');
    const newest = (await numbers()).at(-1)!;
    await feed.asOwner(`UPDATE distributed_session_feed SET published_at = distributed_now_ms() + ${ageMs}`);
    await eventually(async () => (await numbers()).length === 1);
    expect(await numbers()).toEqual([newest]);
    await eventually(() => feed.received.at(-1)?.type === 'feed.gap');
    await feed.expectDelivery('mike');
    expect((await numbers()).at(-1)).toBe(newest + 3);
  });

  test('delivers more changes than one read returns, in order', async () => {
    const { witness } = feed.pair;
    const session = await created(witness, 'nina');
    await eventually(() => feed.received.length === 1);
    feed.received.length = 0;
    const change = JSON.stringify({
      sessionId: session.sessionId,
      loginId: 'alice',
      serviceId: 's',
      version: 1,
      by: 's',
      at: 1,
      type: 'session.updated',
    });
    await feed.asOwner(`INSERT INTO distributed_session_change (change)
      SELECT replace('${change}', '"version":1', '"version":' || n) FROM generate_series(1, 2500) AS n`);
    await eventually(() => feed.received.length >= 2_500);
    const versions = feed.received.map((entry) => 'version' in entry && entry.version);
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
        await created(feed.pair.witness, `oscar-${n}`);
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
