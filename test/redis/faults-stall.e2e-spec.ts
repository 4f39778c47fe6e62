import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';

const STALL_MS = 2_000;
const HOUR_MS = 3_600_000;

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
  pair = await openRedisPair(server, { heartbeatIntervalMs: 200 });
  session = await created(pair.witness, 'ada');
});

afterEach(async () => {
  jest.restoreAllMocks();
  await pair.close();
});

/** Blocks this process: no timer fires and no reply is read. */
function stall(): void {
  const endsAt = performance.now() + STALL_MS;
  while (performance.now() < endsAt);
}

describe('when the event loop stalls for 2 s, RedisSessionStorage', () => {
  test('keeps its connections, and its change feed has no gap', async () => {
    // It is connected through a proxy of this process, which stalls too.
    await pair.storage.close();
    const changes: StorageChange[] = [];
    pair.witness.changes((change) => changes.push(change));
    const connections = Number(await server.info('stats', 'total_connections_received'));
    for (let round = 0; round < 2; round++) {
      const call = settle(() => WRITES.create(pair.witness, session));
      stall();
      expect(await call).toMatchObject({ outcome: 'created' });
    }
    await eventually(() => pair.witness.feedLagMs() < 1_000);
    await created(pair.witness, 'last');
    await eventually(() => changes.some((change) => 'loginId' in change && change.loginId === 'last'));
    expect(changes.map(({ type }) => type)).toEqual(Array.from({ length: 3 }, () => 'session.created'));
    // The connection of this test's query.
    expect(Number(await server.info('stats', 'total_connections_received')) - connections).toBe(1);
  });
});

describe('when the clock of the process is set, RedisSessionStorage', () => {
  test.each([
    ['forward by an hour', HOUR_MS],
    ['back by an hour', -HOUR_MS],
    ['to the beginning of time', -Date.now()],
  ])('keeps its own time and expires no session: %s', async (_name, step) => {
    const real = Date.now.bind(Date);
    const before = pair.storage.now();
    const startedAt = performance.now();
    jest.spyOn(Date, 'now').mockImplementation(() => real() + step);
    const isSteady = () => Math.abs(pair.storage.now() - before - (performance.now() - startedAt)) < 50;
    expect(isSteady()).toBe(true);
    const added = await created(pair.storage, 'ada');
    expect(Math.abs(added.createdAt - real())).toBeLessThan(1_000);
    expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'live' });
    expect(await pair.storage.sweep({ limit: 10, historyRetentionMs: HOUR_MS })).toBe(0);
    const [touched] = await pair.storage.touch([session.sessionId]);
    expect(touched!.lastAccessedAt).toBeGreaterThanOrEqual(session.lastAccessedAt);
    // It has read the server's time again.
    const beats = Number((await server.commandCounts())['time']);
    await eventually(async () => Number((await server.commandCounts())['time']) > beats + 4);
    expect(isSteady()).toBe(true);
    expect(pair.storage.feedLagMs()).toBeLessThan(5_000);
  });
});
