import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { double, packedIdentity, packedText, uint32 } from '../support/redis/packed-session.js';
import { keysOf } from '../support/redis/stored-record.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { created, WRITES } from '../support/storage/storage-calls.js';

const HEARTBEAT_MS = 100;
const HOUR_MS = 3_600_000;
const IGNORED = expect.stringMatching(/change feed ignored \d+ messages? that no process of this store has published/u);

const context = useRedisPair({ heartbeatIntervalMs: HEARTBEAT_MS });
let received: StorageChange[];
let stranger: Redis;
/** The messages that the stranger has received. */
let recorded: Buffer[];
let warnings: jest.SpiedFunction<Logger['warn']>;

beforeAll(async () => {
  const rules = ['on', '>stranger', '-@all', '+subscribe', '+publish', '+info', 'resetkeys', 'allchannels'];
  await context.server.call('ACL', 'SETUSER', 'stranger', ...rules);
});

beforeEach(async () => {
  const { pair, server } = context;
  warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  [received, recorded] = [[], []];
  pair.storage.changes((change) => received.push(change));
  stranger = new Redis({ host: server.host, port: server.port, username: 'stranger', password: 'stranger' });
  const listener = stranger.duplicate();
  listener.on('messageBuffer', (_channel: Buffer, message: Buffer) => recorded.push(message));
  await listener.subscribe(channel());
  stranger.once('end', () => listener.disconnect());
});

afterEach(() => {
  stranger.disconnect();
  jest.restoreAllMocks();
});

const channel = () => `${context.pair.keyPrefix}:changes`;
const types = () => received.map(({ type }) => type);
/** The types of the changes, without gaps. */
const changes = () => types().filter((type) => type !== 'feed.gap');
const publish = async (...messages: readonly Buffer[]) => {
  await Promise.all(messages.map(async (message) => stranger.publish(channel(), message)));
};

/** Expects that a change of another process arrives next, and that the feed is up to date. */
async function expectFeedWorks(): Promise<void> {
  const { pair } = context;
  received.length = 0;
  const session = await created(pair.witness, 'afterwards');
  await WRITES.end(pair.witness, session);
  await eventually(() => changes().length >= 2 && pair.storage.feedLagMs() < 10 * HEARTBEAT_MS);
  expect(changes()).toEqual(['session.created', 'session.ended']);
}

/** Publishes again and again until it is stopped, and counts the rounds. */
function keepPublishing(messages: () => readonly Buffer[]): {
  readonly rounds: () => number;
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  let rounds = 0;
  const publishing = (async () => {
    while (!stopping.signal.aborted) {
      await publish(...messages());
      rounds += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const stop = async () => {
    stopping.abort();
    await publishing;
  };
  return { rounds: () => rounds, stop };
}

describe('A user with rights on the channel alone', () => {
  test('cannot forge a change of a session or a service, with or without a guessed code', async () => {
    const { pair } = context;
    const session = await created(pair.witness, 'ada');
    await pair.witness.services.put(SERVICE);
    await eventually(() => received.length === 2 && recorded.length > 2);
    const [at, number] = [double(pair.storage.now()), double(pair.storage.now() * 1_000 + 900_000)];
    const ending = ['logged-out', 'evil', undefined, undefined].map(packedText);
    const forged = [
      Buffer.concat([Buffer.from('E'), number, uint32(1), at, ...ending, packedIdentity(session)]),
      Buffer.concat([Buffer.from('S'), number, at, ...['revoked', 'orders', 'evil'].map(packedText)]),
      Buffer.concat([Buffer.from('K'), packedText('nonce')]),
      // Authentic messages with a changed number, another kind, or another code.
      ...recorded.flatMap((message) => [
        Buffer.concat([message.subarray(0, 1), number, message.subarray(9)]),
        Buffer.concat([Buffer.from('U'), message.subarray(1)]),
        Buffer.concat([message.subarray(0, -40), recorded[0]!.subarray(-40)]).subarray(1),
      ]),
    ];
    for (const code of ['', '0'.repeat(40), '\0'.repeat(40), recorded[0]!.subarray(-40)]) {
      await publish(...forged.map((message) => Buffer.concat([message, Buffer.from(code as string)])));
    }
    await expectFeedWorks();
    expect(types()).not.toContain('feed.gap');
    expect(warnings.mock.calls.filter(([text]) => IGNORED.asymmetricMatch(text)).length).toBeLessThanOrEqual(2);
    expect(warnings.mock.calls).toContainEqual([IGNORED]);
  });

  test('cannot deliver a change twice, nor end the trust in the feed, by repeating messages', async () => {
    const { pair, server } = context;
    const session = await created(pair.witness, 'ada');
    await WRITES.replace(pair.witness, session);
    await WRITES.end(pair.witness, session);
    await pair.witness.services.put(SERVICE);
    await eventually(() => received.length === 4 && recorded.length >= 8);
    const earlier = [...recorded];
    const repeating = keepPublishing(() => earlier);
    let highest = 0;
    await eventually(() => {
      highest = Math.max(highest, pair.storage.feedLagMs());
      return repeating.rounds() > 100;
    });
    expect(received).toHaveLength(4);
    expect(highest).toBeLessThan(2_000);
    // Neither after a reconnection, nor to a process that starts later.
    const { keyPrefix } = pair;
    const later = new RedisSessionStorage({ url: server.url, keyPrefix, heartbeatIntervalMs: HEARTBEAT_MS });
    const receivedLater: StorageChange[] = [];
    later.changes((change) => receivedLater.push(change));
    await later.connect();
    await server.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'USER', 'default');
    const since = repeating.rounds();
    await eventually(() => types().includes('feed.gap') && repeating.rounds() > since + 100);
    expect(changes()).toHaveLength(4);
    expect(receivedLater.filter(({ type }) => type !== 'feed.gap')).toEqual([]);
    await repeating.stop();
    await later.close();
    await expectFeedWorks();
  });

  test('cannot make a feed without heartbeats seem fresh, with repeated, forged or future ones', async () => {
    const { pair, server } = context;
    await eventually(() => recorded.length >= 10 && pair.storage.feedLagMs() < 10 * HEARTBEAT_MS);
    const beats = [...recorded];
    // Of the earlier format: with the time an hour ahead.
    const future = () => Buffer.concat([Buffer.from('B'), double(pair.storage.now() + HOUR_MS), packedText('00')]);
    const forged = Buffer.concat([Buffer.from('B'), ...['00', 'a'.repeat(32), 'b'.repeat(32)].map(packedText)]);
    const attacking = keepPublishing(() => [...beats, ...recorded.slice(-5), future(), forged]);
    // Redis rejects heartbeats as writes, but not what the stranger publishes.
    await server.call('CONFIG', 'SET', 'min-replicas-to-write', 1);
    try {
      const since = attacking.rounds();
      const startedAt = performance.now();
      await eventually(() => pair.storage.feedLagMs() > 2_000);
      expect(attacking.rounds() - since).toBeGreaterThan(20);
      // The lag counts all of the time.
      expect(pair.storage.feedLagMs()).toBeGreaterThan(performance.now() - startedAt - 10 * HEARTBEAT_MS);
    } finally {
      await attacking.stop();
      await server.call('CONFIG', 'SET', 'min-replicas-to-write', 0);
    }
    await eventually(() => pair.storage.feedLagMs() < 10 * HEARTBEAT_MS);
    expect(types()).toEqual([]);
  });

  test('delays the feed at most while it floods the channel', async () => {
    const junk = Array.from({ length: 5_000 }, (_, n) => Buffer.from(`B${n}`.padEnd(200, 'x')));
    await publish(...junk);
    await expectFeedWorks();
    expect(types()).not.toContain('feed.gap');
    expect(warnings.mock.calls.filter(([text]) => IGNORED.asymmetricMatch(text)).length).toBeLessThanOrEqual(2);
  });
});

describe('The change feed of RedisSessionStorage', () => {
  test('continues after the clock of the server was set back: a heartbeat from the future does not count', async () => {
    const { pair, server } = context;
    const beat = `{${pair.keyPrefix}:00}:b`;
    const [nonce, time] = String(await server.call('GET', beat)).split(' ');
    await server.call('SET', beat, `${nonce} ${Number(time) + HOUR_MS}`);
    await eventually(
      async () => Math.abs(Number(String(await server.call('GET', beat)).split(' ')[1]) - Date.now()) < 60_000,
    );
    expect(String(await server.call('GET', beat))).not.toContain(nonce!);
    await expectFeedWorks();
  });

  test('adopts the feed key of a process that claimed the store after all data was lost, and reports a gap everywhere', async () => {
    const { pair, server } = context;
    const meta = `{${pair.keyPrefix}}:meta`;
    const before = await server.call('HGET', meta, 'feedKey');
    const ofWitness: string[] = [];
    pair.witness.changes(({ type }) => ofWitness.push(type));
    await server.use(async (redis) => {
      const claim = { ...(await redis.hgetall(meta)), feedKey: 'f'.repeat(64) };
      await redis.multi().flushall().hset(meta, claim).exec();
    });
    await eventually(() => types().includes('feed.gap') && ofWitness.includes('feed.gap'));
    expect(await server.call('HGET', meta, 'feedKey')).not.toBe(before);
    // Each process also reports that what it published in the meantime was not authentic to the others.
    await expectFeedWorks();
  });

  test('restores its feed key after all data was lost', async () => {
    const { pair, server } = context;
    const meta = `{${pair.keyPrefix}}:meta`;
    const before = await server.call('HGETALL', meta);
    await server.call('FLUSHALL');
    await eventually(async () => (await server.call('EXISTS', meta)) === 1);
    expect(await server.call('HGETALL', meta)).toEqual(before);
    await expectFeedWorks();
    expect(types()).not.toContain('feed.gap');
  });

  test('delivers no change with a time after now by the clock of the server', async () => {
    const { pair, server } = context;
    const session = await created(pair.witness, 'ada');
    await eventually(() => received.length === 1);
    const feedKey = String(await server.call('HGET', `{${pair.keyPrefix}}:meta`, 'feedKey'));
    const number = Number(await server.call('INCR', keysOf(pair.keyPrefix, session.sessionId).sequence));
    const times = [uint32(2), double(pair.storage.now() + HOUR_MS)];
    const update = Buffer.concat([
      Buffer.from('U'),
      double(number),
      ...times,
      packedText('tests'),
      packedIdentity(session),
    ]);
    await publish(sealed(update, feedKey));
    await eventually(() => received.length === 2);
    expect(received[1]).toMatchObject({ type: 'session.updated', version: 2 });
    expect((received[1] as { at: number }).at).toBeLessThan(pair.storage.now() + 60_000);
  });
});

/** Appends the code of an authentic message, as `docs/redis.md` describes it. */
function sealed(message: Buffer, feedKey: string): Buffer {
  return Buffer.concat([message, Buffer.from(sha1(feedKey.slice(32), sha1(feedKey.slice(0, 32), message)))]);
}

function sha1(key: string, content: Buffer | string): string {
  return createHash('sha1').update(key).update(content).digest('hex');
}
