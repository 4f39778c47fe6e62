import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { bytes, created, WRITES } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { keysOf } from '../support/redis/stored-record.js';

const HEARTBEAT_MS = 100;

let server: RedisServer;
let pair: RedisStoragePair;
let heard: StorageChange[];
let heardByWitness: StorageChange[];

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  pair = await openRedisPair(server, { heartbeatIntervalMs: HEARTBEAT_MS });
  [heard, heardByWitness] = [[], []];
  pair.storage.changes((change) => heard.push(change));
  pair.witness.changes((change) => heardByWitness.push(change));
});

afterEach(async () => {
  pair.proxy.healthy();
  await pair.close();
});

const types = () => heard.map(({ type }) => type);

/** Changes of others arrive again, in their order, and the feed is as good as ever. */
async function expectFeedWorks(): Promise<void> {
  await eventually(() => pair.storage.feedLagMs() < 10 * HEARTBEAT_MS);
  heard.length = 0;
  const session = await created(pair.witness, 'afterwards');
  await WRITES.replace(pair.witness, session);
  await WRITES.end(pair.witness, session);
  await eventually(() => heard.length >= 3);
  expect(types()).toEqual(['session.created', 'session.updated', 'session.ended']);
}

describe('a feed that is cut', () => {
  test('tells a gap, and goes on', async () => {
    await created(pair.witness, 'ada');
    await eventually(() => heard.length === 1);
    let highest = 0;
    const killed = await server.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(() => {
      highest = Math.max(highest, pair.storage.feedLagMs());
      return types().includes('feed.gap');
    });
    expect([killed, highest]).toEqual([2, Infinity]);
    expect(types()).toEqual(['session.created', 'feed.gap']);
    await expectFeedWorks();
  });

  test('tells a gap for what was announced while it was away', async () => {
    const session = await created(pair.witness, 'ada');
    await eventually(() => heard.length === 1);
    pair.proxy.refuse();
    pair.proxy.cut();
    await eventually(() => pair.storage.feedLagMs() === Infinity);
    await WRITES.end(pair.witness, session);
    pair.proxy.healthy();
    await eventually(() => types().includes('feed.gap'));
    expect(types()).toEqual(['session.created', 'feed.gap']);
    // Who drops its copies at the gap reads what is true.
    await pair.waitUntilConnected();
    expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'ended' });
    await expectFeedWorks();
  });
});

describe('a feed that falls silent', () => {
  test('is ever further behind, is given up, tells a gap, and goes on', async () => {
    await created(pair.witness, 'ada');
    await eventually(() => heard.length === 1);
    pair.proxy.blackHole('down');
    const missed = await created(pair.witness, 'ada');
    const lags: number[] = [];
    await eventually(() => {
      lags.push(pair.storage.feedLagMs());
      return pair.storage.feedLagMs() > 5 * HEARTBEAT_MS;
    });
    // Never better than it is: it grows as long as nothing comes.
    expect(lags).toEqual(lags.toSorted((a, b) => a - b));
    expect(types()).toEqual(['session.created']);
    await eventually(() => pair.storage.feedLagMs() === Infinity);
    pair.proxy.discard();
    await eventually(() => types().includes('feed.gap'));
    expect(types().slice(1)).not.toContain('session.created');
    await pair.waitUntilConnected();
    expect(await pair.storage.get(missed.sessionId)).toMatchObject({ state: 'live' });
    await expectFeedWorks();
  });

  test('is not given up while heartbeats come late, and tells everything in its order', async () => {
    pair.proxy.latency({ ms: 4 * HEARTBEAT_MS });
    for (let n = 0; n < 10; n++) await created(pair.witness, `user-${n}`);
    await eventually(() => heard.length >= 10);
    expect(heard.map((change) => 'loginId' in change && change.loginId)).toEqual(
      Array.from({ length: 10 }, (_, n) => `user-${n}`),
    );
    expect(pair.storage.feedLagMs()).toBeGreaterThanOrEqual(4 * HEARTBEAT_MS - 5);
  });
});

describe('a subscriber that is too slow', () => {
  test('is cut off by the server, hears a gap, and goes on', async () => {
    await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 65536 0 0');
    // Each announcement names its login.
    const { sessionId } = await created(pair.witness, 'x'.repeat(60_000));
    await eventually(() => heard.length === 1);
    pair.proxy.blackHole('down');
    for (let version = 1; (await subscribers()) === 2; version++) {
      const change = { sessionId, expectedVersion: version, payload: bytes('next'), touch: false, by: 'tests' };
      expect(await pair.witness.replace(change)).toMatchObject({ outcome: 'replaced' });
    }
    pair.proxy.healthy();
    await eventually(() => types().includes('feed.gap'));
    await expectFeedWorks();
  });
});

describe('a change whose number is not the next', () => {
  test.each([
    ['skipped', 'INCRBY', '5'],
    ['set', 'SET', '1000'],
    ['lost', 'DEL'],
  ])('%s: a gap is told before the change that shows it', async (_name, command, ...args) => {
    // Twice, so that starting over is no next number either.
    const session = await created(pair.witness, 'ada');
    await created(pair.witness, 'ada');
    await eventually(() => heard.length === 2 && heardByWitness.length === 2);
    await server.call(command, keysOf(pair.keyPrefix, session.sessionId).sequence, ...args);
    await WRITES.end(pair.witness, session);
    await eventually(() => heard.length === 4 && heardByWitness.length === 4);
    for (const changes of [heard, heardByWitness]) {
      expect(changes.slice(2).map(({ type }) => type)).toEqual(['feed.gap', 'session.ended']);
    }
    await expectFeedWorks();
  });

  test('what is no announcement is left out, and does no harm', async () => {
    for (const message of ['', 'C', 'nonsense', 'B\u0000', Buffer.alloc(2_000, 0xff)]) {
      await server.call('PUBLISH', `${pair.keyPrefix}:changes`, message);
    }
    await expectFeedWorks();
    expect(types()).not.toContain('feed.gap');
  });
});

async function subscribers(): Promise<number> {
  const list = String(await server.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return list.split('\n').filter((line) => line !== '').length;
}
