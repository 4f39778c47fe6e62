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

describe('The change feed of RedisSessionStorage', () => {
  test('reports a gap and continues after the server has disconnected a slow subscriber', async () => {
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

  test.each([
    ['skipped', 'INCRBY', '5'],
    ['set', 'SET', '9000000000000000'],
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

  test('reports a gap after a change whose number went back, and delivers the changes after it', async () => {
    const { server, pair } = context;
    const session = await created(pair.witness, 'ada');
    await eventually(() => received.length === 1 && receivedByWitness.length === 1);
    await server.call('SET', keysOf(pair.keyPrefix, session.sessionId).sequence, '1000');
    // Until the stored number is read, the change may be a repeated one.
    await WRITES.end(pair.witness, session);
    await eventually(() => received.length === 2 && receivedByWitness.length === 2);
    for (const changes of [received, receivedByWitness]) {
      expect(changes.map(({ type }) => type)).toEqual(['session.created', 'feed.gap']);
    }
    await expectFeedWorks();
    expect(types()).not.toContain('feed.gap');
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
