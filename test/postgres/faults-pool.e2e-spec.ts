import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { Pool, type PoolClient } from 'pg';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { settle } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import { created, READS, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';

const DEADLINE_MS = 300;
/** The change feed uses one of the connections. */
const POOL_SIZE = 3;

let server: PostgresServer;
let witness: PostgresSessionStorage;
let session: SessionRecord;
let users = 0;

beforeAll(async () => {
  server = await PostgresServer.start();
  witness = new PostgresSessionStorage({ url: server.url });
  await witness.connect();
});

afterAll(async () => {
  await witness.close();
  await server.stop();
});

beforeEach(async () => {
  session = await created(witness, `user-${(users += 1)}`);
});

describe('when the program uses every connection of its pool', () => {
  let pool: Pool;
  let storage: PostgresSessionStorage;
  const taken: PoolClient[] = [];

  beforeEach(async () => {
    pool = new Pool({
      connectionString: server.url,
      max: POOL_SIZE,
      connectionTimeoutMillis: DEADLINE_MS * 10,
      statement_timeout: 1_000,
      lock_timeout: 1_000,
      idle_in_transaction_session_timeout: 10_000,
      keepAlive: true,
    });
    storage = new PostgresSessionStorage({ pool, deadlineMs: DEADLINE_MS });
    await storage.connect();
    while (taken.length < POOL_SIZE - 1) taken.push(await pool.connect());
  });

  afterEach(async () => {
    for (const client of taken.splice(0)) client.release();
    await storage.close();
    await pool.end();
  });

  test('calls fail by their deadline and name the pool, nothing is applied, and the storage recovers', async () => {
    for (const { outcome, message, ms } of await everything(storage)) {
      expect([outcome, message]).toEqual(['ERR_STORAGE_UNAVAILABLE', expect.stringContaining('the pool is too small')]);
      expect(ms).toBeLessThan(DEADLINE_MS + slackMs());
    }
    expect((await settle(() => WRITES.replace(witness, session))).outcome).toBe('replaced');
    await eventually(() => storage.feedLagMs() < 3_000);
    const startedAt = performance.now();
    for (const client of taken.splice(0)) client.release();
    // Calls that have given up hold no connection, and are not executed late.
    expect(await settle(() => WRITES.create(storage, session))).toMatchObject({ outcome: 'created' });
    expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
    expect(await witness.listByLogin(session.loginId)).toMatchObject([{ version: 2 }, { version: 1 }]);
    expect(await witness.listHistory(session.loginId)).toEqual([]);
    expect(await witness.services.list()).toEqual([]);
    expect(pool.waitingCount).toBe(0);
  });
});

describe('when locked rows occupy the connections of a small pool', () => {
  let storage: PostgresSessionStorage;

  beforeEach(async () => {
    storage = new PostgresSessionStorage({ url: server.url, options: { max: 2 }, deadlineMs: DEADLINE_MS });
    await storage.connect();
  });

  afterEach(async () => {
    await storage.close();
  });

  test('all calls fail by their deadline as not applied, and the storage recovers', async () => {
    await server.use(async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM distributed_session WHERE session_id = $1 FOR UPDATE', [session.sessionId]);
      const calls = await Promise.all(Array.from({ length: 10 }, () => settle(() => WRITES.end(storage, session))));
      // A call that got its connection late still receives its outcome from the server.
      expect(new Set(calls.map(({ outcome }) => outcome))).toEqual(new Set(['ERR_STORAGE_UNAVAILABLE']));
      expect(calls.filter(({ message }) => message?.includes('the pool is too small'))).not.toEqual([]);
      expect(Math.max(...calls.map(({ ms }) => ms))).toBeLessThan(DEADLINE_MS + slackMs());
      expect(await settle(() => WRITES.create(witness, session))).toMatchObject({ outcome: 'created' });
      await client.query('ROLLBACK');
    });
    const startedAt = performance.now();
    await eventually(async () => (await settle(() => WRITES.end(storage, session))).outcome.endsWith('ended'));
    expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
    expect(await witness.listHistory(session.loginId)).toHaveLength(1);
  });
});

/** Every operation of a storage, simultaneously. */
function everything(storage: PostgresSessionStorage) {
  const calls = [
    ...[...Object.values(WRITES), ...Object.values(READS)].map((call) => () => call(storage, session)),
    ...[...Object.values(SERVICE_WRITES), ...Object.values(SERVICE_READS)].map((call) => () => call(storage)),
    () => storage.services.recordUse({ serviceId: 'orders', keyId: 'first' }),
    () => storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS }),
    () => storage.ping(),
  ];
  return Promise.all(calls.map(settle));
}
