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

  test('records its format, the oldest that works with it, and the first release that has that', async () => {
    await connected({});
    const claim = await server.use((redis) => redis.hgetall('{ds}:meta'));
    expect(claim).toMatchObject({ format: '2', oldest: '2', oldestRelease: '0.1.0' });
  });

  test.each([
    ['that names the release which works with it', ['oldest', '3', 'oldestRelease', '7.8.9'], 'install 7.8.9 or later'],
    ['that names no release', ['oldest', '3'], 'install'],
  ])('rejects a store of a later format %s, and leaves it unchanged', async (_name, fields, wayOut) => {
    await (await connected({})).close();
    await server.call('HDEL', '{ds}:meta', 'oldest', 'oldestRelease');
    await server.call('HSET', '{ds}:meta', 'format', '3', ...fields);
    const before = await server.call('HGETALL', '{ds}:meta');
    const settled = await settle(() => connected({}));
    expect(settled).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringContaining('a later release') });
    expect(settled.message).toContain(wayOut);
    expect(await server.call('HGETALL', '{ds}:meta')).toEqual(before);
  });

  test('rejects a store of a later format that does not say what works with it', async () => {
    await (await connected({})).close();
    await server.call('HDEL', '{ds}:meta', 'oldest', 'oldestRelease');
    await server.call('HSET', '{ds}:meta', 'format', '3');
    const message = expect.stringMatching(/a later release: install that release/u);
    expect(await settle(() => connected({}))).toMatchObject({ outcome: 'ERR_OPTIONS', message });
    expect(await server.call('HGET', '{ds}:meta', 'oldest')).toBeNull();
  });

  test('works on a store of a later format that works with this one, warns, and leaves its formats', async () => {
    await (await connected({})).close();
    await server.call('HSET', '{ds}:meta', 'format', '3', 'oldest', '1', 'oldestRelease', '0.0.9');
    const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const storage = await connected({});
    expect(warned.mock.calls.flat().filter((line) => String(line).includes('later release'))).toHaveLength(1);
    expect(await storage.get((await created(storage, 'alice')).sessionId)).toMatchObject({ state: 'live' });
    // Once more after a heartbeat. What this release writes needs at least format 2.
    await eventually(async () => (await server.call('HGET', '{ds}:meta', 'oldest')) === '2');
    expect(await server.call('HGET', '{ds}:meta', 'format')).toBe('3');
  });

  test('stops using a store that a later release makes its own, until that is undone', async () => {
    const storage = await connected({});
    const session = await created(storage, 'alice');
    await server.call('HSET', '{ds}:meta', 'format', '16', 'oldest', '16', 'oldestRelease', '9.0.0');
    await eventually(async () => (await settle(() => storage.get(session.sessionId))).outcome !== 'read');
    const message = expect.stringContaining('install 9.0.0 or later');
    for (const call of [...Object.values(READS), ...Object.values(WRITES), () => storage.ping()]) {
      expect(await settle(() => call(storage, session))).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE', message });
    }
    expect(logged.mock.calls).toEqual([[message]]);
    await server.call('HSET', '{ds}:meta', 'format', '2', 'oldest', '2');
    await eventually(async () => (await settle(() => storage.get(session.sessionId))).outcome === 'read');
  });

  test('claims a store of an earlier format, so that processes of earlier releases stop', async () => {
    await (await connected({ tagKey: OUR_KEY })).close();
    await server.call('HSET', '{ds}:meta', 'format', '1');
    expect(await settle(() => connected({ tagKey: THEIR_KEY }))).toMatchObject({ message: ANOTHER_KEY });
    expect(await server.call('HGET', '{ds}:meta', 'format')).toBe('1');
    await connected({ tagKey: OUR_KEY });
    expect(await server.call('HGET', '{ds}:meta', 'format')).toBe('2');
  });
  test('receives changes under another feed key that an operator has set, without a restart', async () => {
    const [first, second] = [await connected({ tagKey: OUR_KEY }), await connected({ tagKey: OUR_KEY })];
    const types: string[] = [];
    second.changes(({ type }) => types.push(type));
    await server.call('HSET', '{ds}:meta', 'feedKey', 'e'.repeat(64));
    await eventually(() => types.includes('feed.gap'));
    await eventually(async () => {
      await created(first, 'alice');
      return types.includes('session.created');
    });
    expect(await server.call('HGET', '{ds}:meta', 'feedKey')).toBe('e'.repeat(64));
    expect(logged).not.toHaveBeenCalled();
  });
});
