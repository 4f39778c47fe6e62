import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, textOf, WRITES, warmUp } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';
import { slackMs } from '../support/storage/slack.js';

const DEADLINE_MS = 500;

let server: RedisServer;
let pair: RedisStoragePair;
let session: SessionRecord;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  pair = await openRedisPair(server, { deadlineMs: DEADLINE_MS });
  session = await created(pair.witness, 'ada');
  await warmUp(pair.witness);
});

afterEach(async () => {
  server.resume();
  pair.proxy.healthy();
  await pair.close();
});

/** Every operation at once; resolves to how each has ended. */
async function everything(): Promise<{ reads: Set<string>; writes: Set<string>; longestMs: number }> {
  const [reads, writes] = await Promise.all(
    [READS, WRITES].map(async (calls) =>
      Promise.all(Object.values(calls).map(async (call) => settle(() => call(pair.storage, session)))),
    ),
  );
  const [readOutcomes, writeOutcomes] = [reads!, writes!].map((calls) => new Set(calls.map(({ outcome }) => outcome)));
  return {
    reads: readOutcomes!,
    writes: writeOutcomes!,
    longestMs: Math.max(...[...reads!, ...writes!].map(({ ms }) => ms)),
  };
}

async function expectRecovery(): Promise<void> {
  const startedAt = performance.now();
  await eventually(async () => (await settle(() => created(pair.storage, 'afterwards'))).outcome === 'read');
  await eventually(() => pair.storage.feedLagMs() < 3_000);
  expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
  expect(await pair.storage.ping()).toEqual({ writable: true, notes: [] });
}

/** What `ada` has, as text: nothing of it was changed. */
async function expectNothingApplied(): Promise<void> {
  const sessions = await pair.witness.listByLogin('ada');
  expect(sessions.map(({ sessionId, version, payload }) => [sessionId, version, textOf(payload)])).toEqual([
    [session.sessionId, 1, 'first'],
  ]);
  expect(sessions[0]!.lastAccessedAt).toBe(session.lastAccessedAt);
  expect(await pair.witness.listHistory('ada')).toEqual([]);
}

const UNAVAILABLE = new Set(['ERR_STORAGE_UNAVAILABLE']);
const UNKNOWN = new Set(['ERR_STORAGE_OUTCOME_UNKNOWN']);

describe('a black hole', () => {
  test.each(['both', 'up', 'down'] as const)(
    '%s: calls settle by their deadline, the connection is given up, and it recovers',
    async (direction) => {
      pair.proxy.blackHole(direction);
      const { reads, writes, longestMs } = await everything();
      expect([reads, writes]).toEqual([UNAVAILABLE, UNKNOWN]);
      expect(longestMs).toBeLessThan(DEADLINE_MS + slackMs());
      // Once it is given up, calls are refused at once instead of waiting.
      await eventually(async () => {
        const { outcome, ms } = await settle(() => WRITES.create(pair.storage, session));
        return outcome === 'ERR_STORAGE_UNAVAILABLE' && ms < 100;
      });
      pair.proxy.discard();
      await expectRecovery();
    },
  );

  test('what it has held of writes changes nothing when it is let through after their deadline', async () => {
    pair.proxy.blackHole('up');
    const { writes } = await everything();
    expect(writes).toEqual(UNKNOWN);
    const before = Number((await server.commandCounts())['evalsha']);
    pair.proxy.release();
    await eventually(
      async () => Number((await server.commandCounts())['evalsha']) >= before + Object.keys(WRITES).length,
    );
    await expectNothingApplied();
    await expectRecovery();
    await expectNothingApplied();
  });

  test('a login that is ended and comes back meanwhile is not touched by an end that arrives late', async () => {
    pair.proxy.blackHole('up');
    expect(await settle(() => WRITES.endAll(pair.storage, session))).toMatchObject({
      outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN',
    });
    expect(await WRITES.endAll(pair.witness, session)).toHaveLength(1);
    const again = await created(pair.witness, 'ada');
    const before = Number((await server.commandCounts())['evalsha']);
    pair.proxy.release();
    await eventually(async () => Number((await server.commandCounts())['evalsha']) > before);
    await expectRecovery();
    expect(await pair.witness.listByLogin('ada')).toMatchObject([{ sessionId: again.sessionId }]);
  });
});

describe('a server that stands still', () => {
  test('calls settle by their deadline, and what it does late when it goes on changes nothing', async () => {
    server.freeze();
    const { reads, writes, longestMs } = await everything();
    expect([reads, writes]).toEqual([UNAVAILABLE, UNKNOWN]);
    expect(longestMs).toBeLessThan(DEADLINE_MS + slackMs());
    server.resume();
    const startedAt = performance.now();
    await eventually(async () => (await settle(() => pair.storage.get(session.sessionId))).outcome === 'read');
    expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
    await expectNothingApplied();
    await expectRecovery();
  });

  test('in time for the deadline: what was applied is told as applied', async () => {
    server.freeze();
    const calls = Promise.all([
      settle(() => WRITES.create(pair.storage, session)),
      settle(() => pair.storage.get(session.sessionId)),
    ]);
    await eventually(() => pair.proxy.heldBytes === 0);
    server.resume();
    expect((await calls).map(({ outcome }) => outcome)).toEqual(['created', 'read']);
  });

  test('for longer than a connection is kept: it is left, and found again', async () => {
    const opened = pair.proxy.connectionsOpened;
    server.freeze();
    await eventually(async () => {
      await settle(() => pair.storage.get(session.sessionId));
      return pair.proxy.connectionsOpened > opened;
    });
    server.resume();
    await expectRecovery();
    expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'live', version: 1 });
  });
});
