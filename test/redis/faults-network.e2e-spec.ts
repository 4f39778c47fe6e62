import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import type { History } from '@distributed-session/session-history/history.js';
import { runClients } from '@distributed-session/session-history/run-clients.js';
import { paced } from '../support/storage/paced-storage.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';
import { slackMs } from '../support/storage/slack.js';

const DEADLINE_MS = 1_000;

let server: RedisServer;
let pair: RedisStoragePair;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  pair = await openRedisPair(server, { deadlineMs: DEADLINE_MS });
});

afterEach(async () => {
  await pair.close();
  // The count of the quiet state is that of the whole store.
  await server.call('FLUSHALL');
});

/** Lets clients work through the proxy while a fault goes on, and reads the quiet state without it. */
async function underLoad(
  seed: number,
  durationMs: number,
  fault: (isOver: () => boolean) => Promise<void>,
): Promise<History> {
  let isOver = false;
  const going = fault(() => isOver);
  const calm = async () => {
    isOver = true;
    await going;
    pair.proxy.healthy();
    // What was on its way when it became quiet is let through, and too late.
    await eventually(() => pair.proxy.heldBytes === 0);
  };
  return runClients({ count: 3, durationMs, seed, storage: paced(pair.storage), quietStorage: pair.witness, calm });
}

function expectAllKept(history: History): void {
  expect(describeViolations(checkHistory(history, { clockToleranceMs: 100, feedLagMs: 5_000 }))).toEqual([]);
  const { calls } = history;
  const times = calls.map(({ startedAt, endedAt = Infinity }) => (endedAt - startedAt) / 1e6);
  expect(Math.max(...times)).toBeLessThan(DEADLINE_MS + slackMs());
}

/** Waits, and ends sooner when the load does. */
async function pause(ms: number): Promise<void> {
  const endsAt = performance.now() + ms;
  await eventually(() => performance.now() >= endsAt);
}

describe('under load, on a network that', () => {
  test('cuts the connection every 100 ms: I1 to I7, I11 and I12 hold, and reads are their own', async () => {
    const history = await underLoad(1, 4_000, async (isOver) => {
      while (!isOver()) {
        await pause(100);
        pair.proxy.cut();
      }
    });
    expectAllKept(history);
    expect(pair.proxy.connectionsOpened).toBeGreaterThan(5);
    // Whether a reply is in flight when a connection is cut is chance; see the lost replies of the server storage suite.
    const outcomes = new Set(history.calls.map(({ outcome }) => outcome));
    expect([...outcomes]).toEqual(expect.arrayContaining(['ok', 'not-applied']));
  });

  test('slices the bytes into 1 to 7: I1 I4 nothing fails, and every reply is that of its request', async () => {
    await pair.close();
    // A reply of some hundred bytes is as many turns of the event loop.
    pair = await openRedisPair(server, { deadlineMs: 10_000 });
    const sessions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => created(pair.storage, `user-${n}`, `text-${n}`)),
    );
    pair.proxy.slice(1, 7);
    await Promise.all(
      sessions.map(async (session, n) => {
        expect(await pair.storage.get(session.sessionId)).toEqual(session);
        expect(await WRITES.replace(pair.storage, session)).toMatchObject({ outcome: 'replaced' });
        expect(await pair.storage.listByLogin(`user-${n}`)).toMatchObject([
          { sessionId: session.sessionId, version: 2 },
        ]);
      }),
    );
  });

  test('is ever slower, up to 2 s with jitter: I1 to I7, I11 and I12 hold, and calls settle in time', async () => {
    const history = await underLoad(3, 6_000, async (isOver) => {
      for (let ms = 25; !isOver(); ms = Math.min(1_000, ms * 2)) {
        pair.proxy.latency({ ms, jitterMs: Math.floor(ms / 2) });
        await pause(700);
      }
    });
    expectAllKept(history);
    expect(new Set(history.calls.map(({ outcome }) => outcome))).toContain('unknown');
    const startedAt = performance.now();
    await eventually(async () => (await settle(() => created(pair.storage, 'afterwards'))).outcome === 'read');
    expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
  });
});

describe('on a network that answers only just in time', () => {
  test.each([
    [
      'a write with a script that the server does not know',
      (storage: RedisStoragePair['storage']) => created(storage, 'ada'),
    ],
    ['listLogins', (storage: RedisStoragePair['storage']) => storage.listLogins({ limit: 100 })],
    ['count', (storage: RedisStoragePair['storage']) => storage.count()],
  ])('%s settles by its deadline, however many rounds it takes', async (_name, call) => {
    await created(pair.witness, 'ada');
    await server.call('SCRIPT', 'FLUSH');
    pair.proxy.latency({ ms: 350 });
    const { ms } = await settle(() => call(pair.storage));
    expect(ms).toBeLessThan(DEADLINE_MS + slackMs() / 2);
  });
});
