import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

const [OUR_KEY, THEIR_KEY] = ['the tag key of ourselves', 'the tag key of the others'];
const ANOTHER_KEY = expect.stringMatching(/different tagKey: set the same tagKey in every service/u);

let server: RedisServer;
let logged: jest.SpiedFunction<Logger['error']>;
let storages: RedisSessionStorage[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
});

beforeEach(async () => {
  await server.call('FLUSHALL');
  logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
});

afterEach(async () => {
  for (const storage of storages) await storage.close();
  storages = [];
  jest.restoreAllMocks();
});

afterAll(() => server.stop());

async function connected(options: RedisSessionStorageOptions): Promise<RedisSessionStorage> {
  const storage = new RedisSessionStorage({ url: server.url, heartbeatIntervalMs: 50, ...options });
  await storage.connect();
  storages.push(storage);
  return storage;
}

/** Reads the fingerprint of a tag key from a store with another prefix. */
async function fingerprintOf(tagKey: string): Promise<string> {
  const keyPrefix = `ds:${randomUUID()}`;
  await connected({ tagKey, keyPrefix });
  return String(await server.call('HGET', `{${keyPrefix}}:meta`, 'fingerprint'));
}

describe('RedisSessionStorage', () => {
  test('rejects a store that was written with another tag key, without revealing either key', async () => {
    const ours = await connected({ tagKey: OUR_KEY });
    for (const options of [{ tagKey: THEIR_KEY }, {}]) {
      const settled = await settle(() => connected(options));
      expect(settled).toMatchObject({ outcome: 'ERR_OPTIONS', message: ANOTHER_KEY });
      expect(settled.message).not.toMatch(/ourselves|others/u);
    }
    const session = await created(ours, 'alice');
    expect(await (await connected({ tagKey: Buffer.from(OUR_KEY) })).listByLogin('alice')).toEqual([session]);
  });

  test('stops using a store that other services have claimed after a flush, until it is released', async () => {
    const ours = await connected({ tagKey: OUR_KEY });
    const session = await created(ours, 'alice');
    const fingerprint = await fingerprintOf(THEIR_KEY);
    await server.use(async (redis) => {
      await redis.multi().flushall().hset('{ds}:meta', { format: 2, fingerprint }).exec();
    });
    const theirs = await connected({ tagKey: THEIR_KEY });
    await eventually(async () => (await settle(() => ours.get(session.sessionId))).outcome !== 'read');
    for (const call of [...Object.values(READS), ...Object.values(WRITES)]) {
      expect(await settle(() => call(ours, session))).toMatchObject({
        outcome: 'ERR_STORAGE_UNAVAILABLE',
        message: ANOTHER_KEY,
      });
    }
    expect(await settle(() => ours.ping())).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
    expect(logged.mock.calls).toEqual([[ANOTHER_KEY]]);
    await created(theirs, 'alice');
    await theirs.close();
    await server.call('DEL', '{ds}:meta');
    await eventually(async () => (await settle(() => ours.get(session.sessionId))).outcome === 'read');
  });

  test('claims a flushed store again', async () => {
    const [first, second] = [await connected({ tagKey: OUR_KEY }), await connected({ tagKey: OUR_KEY })];
    const claim = await server.call('HGETALL', '{ds}:meta');
    await server.call('FLUSHALL');
    await eventually(async () => (await server.call('EXISTS', '{ds}:meta')) === 1);
    expect(await server.call('HGETALL', '{ds}:meta')).toEqual(claim);
    expect(await second.get((await created(first, 'alice')).sessionId)).toMatchObject({ state: 'live' });
  });

  test('rejects a store of a newer format and leaves it unchanged', async () => {
    const { keyPrefix, tagKey } = { keyPrefix: 'ds', tagKey: OUR_KEY };
    await (await connected({ keyPrefix, tagKey })).close();
    await server.call('HSET', '{ds}:meta', 'format', '3');
    expect(await settle(() => connected({ keyPrefix, tagKey }))).toMatchObject({
      outcome: 'ERR_OPTIONS',
      message: expect.stringContaining('written by a later release'),
    });
    expect(await server.call('HGET', '{ds}:meta', 'format')).toBe('3');
  });

  test('claims a store of an earlier format, so that processes of earlier releases stop', async () => {
    await (await connected({ tagKey: OUR_KEY })).close();
    await server.call('HSET', '{ds}:meta', 'format', '1');
    expect(await settle(() => connected({ tagKey: THEIR_KEY }))).toMatchObject({ message: ANOTHER_KEY });
    expect(await server.call('HGET', '{ds}:meta', 'format')).toBe('1');
    await connected({ tagKey: OUR_KEY });
    expect(await server.call('HGET', '{ds}:meta', 'format')).toBe('2');
  });
});
