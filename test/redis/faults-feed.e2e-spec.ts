import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { keysOf } from '../support/redis/stored-record.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';

const HEARTBEAT_MS = 100;

const context = useRedisPair({ heartbeatIntervalMs: HEARTBEAT_MS });
let received: StorageChange[];
let receivedByWitness: StorageChange[];

beforeEach(() => {
  const { pair } = context;
  [received, receivedByWitness] = [[], []];
  pair.storage.changes((change) => received.push(change));
  pair.witness.changes((change) => receivedByWitness.push(change));
});

const types = () => received.map(({ type }) => type);

/** Expects that the feed is up to date and delivers the changes of another process in order. */
async function expectFeedWorks(): Promise<void> {
  const { pair } = context;
  await eventually(() => pair.storage.feedLagMs() < 10 * HEARTBEAT_MS);
  received.length = 0;
  const session = await created(pair.witness, 'afterwards');
  await WRITES.replace(pair.witness, session);
  await WRITES.end(pair.witness, session);
  await eventually(() => received.length >= 3);
  expect(types()).toEqual(['session.created', 'session.updated', 'session.ended']);
}

describe('The change feed of a subscriber that loses its connection', () => {
  test('reports a gap and continues', async () => {
    const { server, pair } = context;
    await created(pair.witness, 'ada');
    await eventually(() => received.length === 1);
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

  test('reports a gap for changes that were published during the interruption', async () => {
    const { pair } = context;
    const session = await created(pair.witness, 'ada');
    await eventually(() => received.length === 1);
    pair.proxy.refuse();
    pair.proxy.cut();
    await eventually(() => pair.storage.feedLagMs() === Infinity);
    await WRITES.end(pair.witness, session);
    pair.proxy.healthy();
    await eventually(() => types().includes('feed.gap'));
    expect(types()).toEqual(['session.created', 'feed.gap']);
    // A listener that drops its copies at the gap reads the current state.
    await pair.waitUntilConnected();
    expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'ended' });
    await expectFeedWorks();
  });
});

describe('The change feed of a subscriber that receives nothing', () => {
  test('reports a growing lag, reconnects, reports a gap and continues', async () => {
    const { pair } = context;
    await created(pair.witness, 'ada');
    await eventually(() => received.length === 1);
    pair.proxy.blackHole('down');
    const missed = await created(pair.witness, 'ada');
    const lags: number[] = [];
    await eventually(() => {
      lags.push(pair.storage.feedLagMs());
      return pair.storage.feedLagMs() > 5 * HEARTBEAT_MS;
    });
    // The lag grows as long as nothing arrives.
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

  test('does not reconnect while heartbeats are only late, and delivers every change in order', async () => {
    const { pair } = context;
    pair.proxy.latency({ ms: 4 * HEARTBEAT_MS });
    for (let n = 0; n < 10; n++) await created(pair.witness, `user-${n}`);
    await eventually(() => received.length >= 10);
    expect(received.map((change) => 'loginId' in change && change.loginId)).toEqual(
      Array.from({ length: 10 }, (_, n) => `user-${n}`),
    );
    expect(pair.storage.feedLagMs()).toBeGreaterThanOrEqual(4 * HEARTBEAT_MS - 5);
  });
});

describe('The change feed of a subscriber that is too slow', () => {
  test('reports a gap and continues after the server has disconnected it', async () => {
    const { server, pair } = context;
    // The limit applies to every subscriber of the server, so the slow one must be the only one.
    await pair.witness.close();
    await eventually(async () => (await subscribers()).length === 1);
    const [slow] = await subscribers();
    await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 65536 0 0');
    pair.proxy.blackHole('down');
    await eventually(async () => {
      await server.call('PUBLISH', `${pair.keyPrefix}:changes`, Buffer.alloc(60_000));
      return !(await subscribers()).includes(slow);
    });
    await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
    await pair.witness.connect();
    pair.proxy.healthy();
    await eventually(() => types().includes('feed.gap'));
    expect(types()).not.toContain('session.created');
    await expectFeedWorks();
  });
});

describe('The change feed', () => {
  test.each([
    ['skipped', 'INCRBY', '5'],
    ['set', 'SET', '1000'],
    ['lost', 'DEL'],
  ])('reports a gap before a change whose number was %s', async (_name, command, ...args) => {
    const { server, pair } = context;
    // Two changes, so that a number that starts over is not the next one either.
    const session = await created(pair.witness, 'ada');
    await created(pair.witness, 'ada');
    await eventually(() => received.length === 2 && receivedByWitness.length === 2);
    await server.call(command, keysOf(pair.keyPrefix, session.sessionId).sequence, ...args);
    await WRITES.end(pair.witness, session);
    await eventually(() => received.length === 4 && receivedByWitness.length === 4);
    for (const changes of [received, receivedByWitness]) {
      expect(changes.slice(2).map(({ type }) => type)).toEqual(['feed.gap', 'session.ended']);
    }
    await expectFeedWorks();
  });

  test('ignores unknown messages', async () => {
    const { server, pair } = context;
    for (const message of ['', 'C', 'nonsense', 'B\u0000', Buffer.alloc(2_000, 0xff)]) {
      await server.call('PUBLISH', `${pair.keyPrefix}:changes`, message);
    }
    await expectFeedWorks();
    expect(types()).not.toContain('feed.gap');
  });
});

/** The addresses of the clients that are subscribed to a channel. */
async function subscribers(): Promise<(string | undefined)[]> {
  const list = String(await context.server.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return Array.from(list.matchAll(/ addr=(\S+)/gu), ([, address]) => address);
}
