import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { runClients } from '@distributed-session/session-history/run-clients.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { openPostgresPair, type PostgresStoragePair } from '../support/postgres/postgres-storage-pair.js';
import { paced } from '../support/storage/paced-storage.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';
import { settle } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

const DEADLINE_MS = 1_000;
const STALL_MS = 2_000;

let server: PostgresServer;
let pair: PostgresStoragePair;
let session: SessionRecord;

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  pair = await openPostgresPair(server, { deadlineMs: DEADLINE_MS, heartbeatIntervalMs: 200 });
});

afterEach(async () => {
  pair.proxy.healthy();
  await pair.close();
});

type Calls = Record<string, (storage: SessionStorage, session: SessionRecord) => Promise<unknown>>;

/** Not where a load goes on, whose sessions are its own. */
async function createSession(): Promise<void> {
  session = await created(pair.witness, 'ada');
}

/** How all of these calls end, made at once, and the milliseconds that the longest took. */
async function settleAll(calls: Calls): Promise<{ outcomes: Set<string>; longestMs: number }> {
  const settled = await Promise.all(Object.values(calls).map((call) => settle(() => call(pair.storage, session))));
  return {
    outcomes: new Set(settled.map(({ outcome }) => outcome)),
    longestMs: Math.max(...settled.map(({ ms }) => ms)),
  };
}

/** How long it takes, in milliseconds, until writes, reads and the feed work by themselves. */
async function recoveryMs(): Promise<number> {
  const startedAt = performance.now();
  await eventually(async () => (await settle(() => created(pair.storage, 'afterwards'))).outcome === 'read');
  await eventually(() => pair.storage.feedLagMs() < 1_000);
  return performance.now() - startedAt;
}

/** Random operations of three clients while a fault goes on: what they were told that cannot be, and the outcomes. */
async function underLoad(durationMs: number, fault: (round: number) => Promise<void>) {
  const stopping = new AbortController();
  const going = (async () => {
    for (let round = 0; !stopping.signal.aborted; round++) await fault(round);
  })();
  const calm = async () => {
    stopping.abort();
    await going;
    pair.proxy.healthy();
    await eventually(() => pair.proxy.heldBytes === 0);
    await pair.waitUntilConnected();
  };
  const storage = paced(pair.storage);
  const history = await runClients({ count: 3, durationMs, seed: 1, storage, quietStorage: pair.witness, calm });
  const times = history.calls.map(({ startedAt, endedAt = Infinity }) => (endedAt - startedAt) / 1e6);
  return {
    violations: describeViolations(checkHistory(history, { clockToleranceMs: 100, feedLagMs: 5_000 })),
    outcomes: [...new Set(history.calls.map(({ outcome }) => outcome))],
    longestMs: Math.max(...times),
  };
}

async function pause(ms: number): Promise<void> {
  const endsAt = performance.now() + ms;
  await eventually(() => performance.now() >= endsAt);
}

describe('a black hole for all connections', () => {
  beforeEach(createSession);

  test.each(['both', 'up', 'down'] as const)(
    '%s: calls end by their deadline, also those that need a new connection, and it recovers',
    async (direction) => {
      // So many connections are open that each call under way finds one.
      await Promise.all(Array.from({ length: 10 }, () => READS.get(pair.storage, session)));
      pair.proxy.blackHole(direction);
      const [reads, writes] = await Promise.all([settleAll(READS), settleAll({ touch: WRITES.touch })]);
      expect([...reads.outcomes, ...writes.outcomes]).toEqual([
        'ERR_STORAGE_UNAVAILABLE',
        'ERR_STORAGE_OUTCOME_UNKNOWN',
      ]);
      // Nothing is sent on a connection that cannot be opened: it is known that nothing was applied.
      const later = await settleAll(WRITES);
      expect(later.outcomes).toEqual(new Set(['ERR_STORAGE_UNAVAILABLE', 'ERR_STORAGE_OUTCOME_UNKNOWN']));
      expect(Math.max(reads.longestMs, writes.longestMs, later.longestMs)).toBeLessThan(DEADLINE_MS + slackMs());
      pair.proxy.discard();
      expect(await recoveryMs()).toBeLessThan(RECOVERY_MS);
      expect(await pair.storage.ping()).toEqual({ writable: true, notes: [] });
    },
  );
});

describe('a network that', () => {
  test('cuts the connections every 100 ms: I1 to I7, I11 and I12 hold, and reads are their own', async () => {
    const { violations, outcomes, longestMs } = await underLoad(2_000, async () => {
      await pause(100);
      pair.proxy.cut();
    });
    expect(violations).toEqual([]);
    expect(outcomes).toContain('ok');
    expect(longestMs).toBeLessThan(DEADLINE_MS + slackMs());
    expect(pair.proxy.connectionsOpened).toBeGreaterThan(10);
  });

  test('is ever slower, up to 2 s with jitter: I1 to I7, I11 and I12 hold, and calls settle in time', async () => {
    const { violations, outcomes, longestMs } = await underLoad(3_500, async (round) => {
      const ms = Math.min(1_000, 25 * 2 ** round);
      pair.proxy.latency({ ms, jitterMs: Math.floor(ms / 2) });
      await pause(500);
    });
    expect(violations).toEqual([]);
    expect(outcomes).toEqual(expect.arrayContaining(['ok', 'unknown']));
    expect(longestMs).toBeLessThan(DEADLINE_MS + slackMs());
    expect(await recoveryMs()).toBeLessThan(RECOVERY_MS);
  });

  test('slices the bytes into 1 to 7: I1 I4 nothing fails, and every reply is that of its request', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 10 }, (_, n) => created(pair.storage, `user-${n}`, `text-${n}`)),
    );
    pair.proxy.slice(1, 7);
    for (const each of sessions) {
      expect(await pair.storage.get(each.sessionId)).toEqual(each);
      expect(await WRITES.replace(pair.storage, each)).toMatchObject({ outcome: 'replaced' });
    }
  });
});

describe('when the event loop stands still for 2 s', () => {
  beforeEach(createSession);

  test('the replies that have arrived meanwhile count, and the feed is not torn down', async () => {
    const calls = () =>
      [READS.get, WRITES.create, WRITES.replace].map((call) => settle(() => call(pair.witness, session)));
    // The connections are open then, and the statements prepared; the second replace is told of a conflict.
    await Promise.all(calls());
    let gaps = 0;
    pair.witness.changes(({ type }) => (gaps += type === 'feed.gap' ? 1 : 0));
    // Straight to the server: a proxy in this process would stand still too.
    server.freeze();
    const under = calls();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    server.resume();
    const endsAt = performance.now() + STALL_MS;
    while (performance.now() < endsAt);
    expect((await Promise.all(under)).map(({ outcome }) => outcome)).toEqual(['read', 'created', 'conflict']);
    await eventually(() => pair.witness.feedLagMs() < 1_000);
    expect(gaps).toBe(0);
  });
});
