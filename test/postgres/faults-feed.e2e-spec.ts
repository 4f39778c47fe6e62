import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { openPostgresPair, type PostgresStoragePair } from '../support/postgres/postgres-storage-pair.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { created, WRITES } from '../support/storage/storage-calls.js';

const HEARTBEAT_MS = 100;
/** A cache serves no copies while the feed may lag this far behind. */
const BEHIND_MS = 5 * HEARTBEAT_MS;

const END_LISTENING = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = 'proxied (change feed)'`;

let server: PostgresServer;
let pair: PostgresStoragePair;
let received: StorageChange[];

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  pair = await openPostgresPair(server, { heartbeatIntervalMs: HEARTBEAT_MS, deadlineMs: 500 });
  received = [];
  pair.storage.changes((change) => received.push(change));
  await created(pair.witness, 'before');
  await eventually(() => received.length === 1);
});

afterEach(async () => {
  pair.proxy.healthy();
  await pair.close();
});

/** The changes received: the user of a creation, or the type of a change without a user. */
function receivedNames(): string[] {
  return received.map((change) => ('loginId' in change ? change.loginId : change.type));
}

/** Creates sessions of numbered users one after the other until it is stopped. `stop()` resolves to the users. */
function keepCreating(): { stop: () => Promise<string[]> } {
  const logins: string[] = [];
  const stopping = new AbortController();
  const creating = (async () => {
    while (!stopping.signal.aborted) {
      const loginId = `user-${logins.length}`;
      await created(pair.witness, loginId);
      logins.push(loginId);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await creating;
      return logins;
    },
  };
}

/** Resolves once the feed has recovered, to the users created meanwhile and those received after the gap. */
async function recovered(creating: ReturnType<typeof keepCreating>): Promise<{ written: string[]; late: string[] }> {
  const startedAt = performance.now();
  await eventually(() => receivedNames().includes('feed.gap') && pair.storage.feedLagMs() < BEHIND_MS);
  expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
  const written = await creating.stop();
  await eventually(() => receivedNames().at(-1) === written.at(-1));
  return { written, late: receivedNames().slice(receivedNames().indexOf('feed.gap') + 1) };
}

describe('a change feed whose connection', () => {
  test.each([
    ['is ended by the server', async () => server.query(END_LISTENING)],
    ['is cut by the network', async () => pair.proxy.cut()],
  ])('%s delivers a gap and every change after it', async (_name, end) => {
    const creating = keepCreating();
    let highest = 0;
    await end();
    await eventually(() => {
      highest = Math.max(highest, pair.storage.feedLagMs());
      return receivedNames().includes('feed.gap');
    });
    expect(highest).toBe(Infinity);
    const { written, late } = await recovered(creating);
    expect(late).toEqual(written.slice(-late.length));
    expect(receivedNames().filter((name) => name === 'feed.gap')).toHaveLength(1);
  });

  test('is refused for a while reports that it is down, and a listener that reads again at the gap misses nothing', async () => {
    const session = await created(pair.witness, 'ada');
    pair.proxy.refuse();
    pair.proxy.cut();
    await eventually(() => pair.storage.feedLagMs() === Infinity);
    await WRITES.end(pair.witness, session);
    pair.proxy.healthy();
    await eventually(() => receivedNames().includes('feed.gap'));
    expect(received.map(({ type }) => type)).not.toContain('session.ended');
    expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'ended' });
  });
});

describe('a change feed whose packets are dropped', () => {
  test.each(['both', 'down', 'up'] as const)(
    'in direction %s reports its lag, reconnects, and delivers a gap and every change after it',
    async (direction) => {
      pair.proxy.blackHole(direction);
      const creating = keepCreating();
      const lags: number[] = [];
      await eventually(() => {
        lags.push(pair.storage.feedLagMs());
        return pair.storage.feedLagMs() === Infinity;
      });
      // While nothing arrives, the lag never decreases.
      if (direction !== 'up') lags.splice(0, lags.length, ...lags.filter((lag, index) => lag < lags[index - 1]!));
      else lags.length = 0;
      expect(lags).toEqual([]);
      const before = receivedNames().length;
      pair.proxy.discard();
      const { written, late } = await recovered(creating);
      expect(late).toEqual(written.slice(-late.length));
      expect(receivedNames()[before]).toBe('feed.gap');
    },
  );

  test('delivers, before the next heartbeat, what another process committed and died before publishing', async () => {
    const sessionId = pair.witness.nextSessionId();
    const call = `SELECT outcome FROM distributed_create_session(
      $1, 'left-behind', 'dead', NULL, 60000, NULL, ''::bytea, 9, NULL, 'reject', 60000, 'dead:1')`;
    const dead = await server.use(async (client) => client.query(call, [sessionId]), pair.database);
    expect(dead.rows).toEqual([{ outcome: 'created' }]);
    const committedAt = pair.storage.now();
    // Once the lag does not reach back to the commit, a heartbeat sent after it has arrived.
    await eventually(() => pair.storage.now() - pair.storage.feedLagMs() > committedAt + HEARTBEAT_MS);
    expect(received.slice(1)).toMatchObject([{ type: 'session.created', sessionId, by: 'dead' }]);
  });

  test('is kept while heartbeats arrive late, and delivers every change in order', async () => {
    pair.proxy.latency({ ms: 2 * HEARTBEAT_MS });
    const creating = keepCreating();
    await eventually(() => received.length > 10);
    const written = await creating.stop();
    await eventually(() => received.length > written.length);
    expect(receivedNames()).toEqual(['before', ...written]);
    expect(pair.storage.feedLagMs()).toBeGreaterThanOrEqual(2 * HEARTBEAT_MS - 5);
  });
});
