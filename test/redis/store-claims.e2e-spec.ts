import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, READS, WRITES } from '../support/storage/storage-calls.js';

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

/** The fingerprint of a tag key, as a store under another prefix says it. */
async function fingerprintOf(tagKey: string): Promise<string> {
  const keyPrefix = `ds:${randomUUID()}`;
  await connected({ tagKey, keyPrefix });
  return String(await server.call('HGET', `{${keyPrefix}}:meta`, 'fingerprint'));
}

describe('a store', () => {
  test('belongs to those with one tag key: others are refused at the start, and neither key is told', async () => {
    const ours = await connected({ tagKey: OUR_KEY });
    for (const options of [{ tagKey: THEIR_KEY }, {}]) {
      const told = await settle(() => connected(options));
      expect(told).toMatchObject({ outcome: 'ERR_OPTIONS', message: ANOTHER_KEY });
      expect(told.message).not.toMatch(/ourselves|others/u);
    }
    const session = await created(ours, 'alice');
    expect(await (await connected({ tagKey: Buffer.from(OUR_KEY) })).listByLogin('alice')).toEqual([session]);
  });

  test('that was flushed and claimed by others meanwhile is not used any more, until it is ours again', async () => {
    const ours = await connected({ tagKey: OUR_KEY });
    const session = await created(ours, 'alice');
    const fingerprint = await fingerprintOf(THEIR_KEY);
    await server.use(async (redis) => {
      await redis.multi().flushall().hset('{ds}:meta', { format: 1, fingerprint }).exec();
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

  test('that was flushed is claimed again by whoever notices first', async () => {
    const [first, second] = [await connected({ tagKey: OUR_KEY }), await connected({ tagKey: OUR_KEY })];
    const claim = await server.call('HGETALL', '{ds}:meta');
    await server.call('FLUSHALL');
    await eventually(async () => (await server.call('EXISTS', '{ds}:meta')) === 1);
    expect(await server.call('HGETALL', '{ds}:meta')).toEqual(claim);
    expect(await second.get((await created(first, 'alice')).sessionId)).toMatchObject({ state: 'live' });
  });

  test('of a newer format is refused at the start, and left as it is', async () => {
    const { keyPrefix, tagKey } = { keyPrefix: 'ds', tagKey: OUR_KEY };
    await (await connected({ keyPrefix, tagKey })).close();
    await server.call('HSET', '{ds}:meta', 'format', '2');
    expect(await settle(() => connected({ keyPrefix, tagKey }))).toMatchObject({
      outcome: 'ERR_OPTIONS',
      message: expect.stringContaining('written by a later release'),
    });
    expect(await server.call('HGET', '{ds}:meta', 'format')).toBe('2');
  });
});

describe('a user with the rights of docs/redis-acl/read-only.acl', () => {
  let writer: RedisSessionStorage;
  let reader: RedisSessionStorage;
  let session: SessionRecord;

  beforeEach(async () => {
    const [, name, ...rules] = (await readFile('docs/redis-acl/read-only.acl', 'utf8')).trim().split(' ');
    await server.call('ACL', 'SETUSER', name!, ...rules, '>password-of-the-test');
    writer = await connected({});
    session = await created(writer, 'alice');
    reader = await connected({ url: `redis://${name}:password-of-the-test@${server.host}:${server.port}` });
  });

  test('sees the sessions, also at the very end of one, and is told when they change', async () => {
    const heard: StorageChange[] = [];
    reader.changes((change) => heard.push(change));
    expect(await reader.get(session.sessionId)).toEqual(session);
    expect(await reader.listByLogin('alice')).toEqual([session]);
    expect(await reader.count()).toEqual({ sessions: 1, logins: 1 });
    expect(await reader.listLogins({ limit: 10 })).toEqual({ logins: [{ loginId: 'alice', sessions: 1 }] });
    await WRITES.end(writer, session);
    await eventually(() => heard.length > 0);
    expect(heard).toMatchObject([{ type: 'session.ended', sessionId: session.sessionId }]);
    expect(await reader.listHistory('alice')).toMatchObject([{ reason: 'logged-out' }]);
    await eventually(() => reader.feedLagMs() < 1_000);
    expect(Math.abs(reader.now() - writer.now())).toBeLessThan(100);
    const ending = { ...creation(writer, 'bob'), idleTimeoutMs: 200 };
    expect(await writer.create(ending)).toMatchObject({ outcome: 'created' });
    const { sessionId } = ending;
    await eventually(async () => (await reader.get(sessionId))?.state === 'ended');
    expect(await reader.get(sessionId)).toMatchObject({ reason: 'idle-timeout' });
  });

  test('writes nothing: each write is told as not applied, and ping() says so', async () => {
    for (const write of Object.values(WRITES)) {
      expect(await settle(() => write(reader, session))).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
    }
    expect(await reader.ping()).toMatchObject({ writable: false, notes: [expect.any(String)] });
    expect(await writer.ping()).toEqual({ writable: true, notes: [] });
    expect(await writer.get(session.sessionId)).toEqual(session);
    expect(await writer.count()).toEqual({ sessions: 1, logins: 1 });
  });
});
