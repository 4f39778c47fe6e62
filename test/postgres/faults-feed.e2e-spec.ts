import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { openPostgresPair, type PostgresStoragePair } from '../support/postgres/postgres-storage-pair.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';
import { created, WRITES } from '../support/storage/storage-calls.js';

const HEARTBEAT_MS = 100;
/** Who keeps copies serves none when the feed may be so far behind. */
const BEHIND_MS = 5 * HEARTBEAT_MS;

const END_LISTENING = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = 'proxied (change feed)'`;

let server: PostgresServer;
let pair: PostgresStoragePair;
let heard: StorageChange[];

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  pair = await openPostgresPair(server, { heartbeatIntervalMs: HEARTBEAT_MS, deadlineMs: 500 });
  heard = [];
  pair.storage.changes((change) => heard.push(change));
  await created(pair.witness, 'before');
  await eventually(() => heard.length === 1);
});

afterEach(async () => {
  pair.proxy.healthy();
  await pair.close();
});

/** What was heard: the login of a creation, the type of what is of no login. */
function heardNames(): string[] {
  return heard.map((change) => ('loginId' in change ? change.loginId : change.type));
}

/** Creates sessions of logins that are numbered, one after the other, until it is stopped; resolves to all of these. */
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

/** Resolves once the feed is as good as ever, to what was created meanwhile and heard after the gap. */
async function recovered(creating: ReturnType<typeof keepCreating>): Promise<{ written: string[]; late: string[] }> {
  const startedAt = performance.now();
  await eventually(() => heardNames().includes('feed.gap') && pair.storage.feedLagMs() < BEHIND_MS);
  expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
  const written = await creating.stop();
  await eventually(() => heardNames().at(-1) === written.at(-1));
  return { written, late: heardNames().slice(heardNames().indexOf('feed.gap') + 1) };
}

describe('a feed whose connection', () => {
  test.each([
    ['the server ends', async () => server.query(END_LISTENING)],
    ['the network cuts', async () => pair.proxy.cut()],
  ])('%s: it tells a gap, and all that is changed from then on', async (_name, end) => {
    const creating = keepCreating();
    let highest = 0;
    await end();
    await eventually(() => {
      highest = Math.max(highest, pair.storage.feedLagMs());
      return heardNames().includes('feed.gap');
    });
    expect(highest).toBe(Infinity);
    const { written, late } = await recovered(creating);
    expect(late).toEqual(written.slice(-late.length));
    expect(heardNames().filter((name) => name === 'feed.gap')).toHaveLength(1);
  });

  test('is refused for a while: it is cut for as long, and who drops its copies at the gap reads the truth', async () => {
    const session = await created(pair.witness, 'ada');
    pair.proxy.refuse();
    pair.proxy.cut();
    await eventually(() => pair.storage.feedLagMs() === Infinity);
    await WRITES.end(pair.witness, session);
    pair.proxy.healthy();
    await eventually(() => heardNames().includes('feed.gap'));
    expect(heard.map(({ type }) => type)).not.toContain('session.ended');
    expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'ended' });
  });
});

describe('a feed in a black hole', () => {
  test.each(['both', 'down', 'up'] as const)(
    '%s: is known to be behind, is given up, tells a gap, and all that is changed from then on',
    async (direction) => {
      pair.proxy.blackHole(direction);
      const creating = keepCreating();
      const lags: number[] = [];
      await eventually(() => {
        lags.push(pair.storage.feedLagMs());
        return pair.storage.feedLagMs() === Infinity;
      });
      // Where nothing comes, it is never said to be better than it is.
      if (direction !== 'up') lags.splice(0, lags.length, ...lags.filter((lag, index) => lag < lags[index - 1]!));
      else lags.length = 0;
      expect(lags).toEqual([]);
      const before = heardNames().length;
      pair.proxy.discard();
      const { written, late } = await recovered(creating);
      expect(late).toEqual(written.slice(-late.length));
      expect(heardNames()[before]).toBe('feed.gap');
    },
  );

  test('tells what a process has committed that did not live to announce it, before the next heartbeat', async () => {
    const sessionId = pair.witness.nextSessionId();
    const call = `SELECT outcome FROM distributed_create_session(
      $1, 'left-behind', 'dead', NULL, 60000, NULL, ''::bytea, 9, NULL, 'reject', 60000, 'dead:1')`;
    const dead = await server.use(async (client) => client.query(call, [sessionId]), pair.database);
    expect(dead.rows).toEqual([{ outcome: 'created' }]);
    const committedAt = pair.storage.now();
    // A heartbeat that was sent after the commit is heard once the lag does not reach back to it.
    await eventually(() => pair.storage.now() - pair.storage.feedLagMs() > committedAt + HEARTBEAT_MS);
    expect(heard.slice(1)).toMatchObject([{ type: 'session.created', sessionId, by: 'dead' }]);
  });

  test('is not given up while heartbeats come late, and tells everything in its order', async () => {
    pair.proxy.latency({ ms: 2 * HEARTBEAT_MS });
    const creating = keepCreating();
    await eventually(() => heard.length > 10);
    const written = await creating.stop();
    await eventually(() => heard.length > written.length);
    expect(heardNames()).toEqual(['before', ...written]);
    expect(pair.storage.feedLagMs()).toBeGreaterThanOrEqual(2 * HEARTBEAT_MS - 5);
  });
});
