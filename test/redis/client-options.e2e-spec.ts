import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { startTlsServer } from '../support/redis/self-signed.js';
import { settle } from '../support/storage/settled-call.js';
import { created, WRITES } from '../support/storage/storage-calls.js';

const SAFE: RedisOptions = {
  socketTimeout: 1_500,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  lazyConnect: true,
};

const cleanUps: (() => Promise<unknown>)[] = [];
let server: RedisServer;
let warned: jest.SpiedFunction<Logger['warn']>;

beforeAll(async () => {
  server = await RedisServer.start();
});

beforeEach(async () => {
  await server.call('FLUSHALL');
  warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  jest.restoreAllMocks();
});

afterAll(() => server.stop());

async function connected(options: RedisSessionStorageOptions): Promise<RedisSessionStorage> {
  const storage = new RedisSessionStorage(options);
  await storage.connect();
  cleanUps.push(() => storage.close());
  return storage;
}

function ownClient(options: RedisOptions): Redis {
  const client = new Redis({ host: server.host, port: server.port, ...options });
  cleanUps.push(async () => client.disconnect());
  return client;
}

/** What is written on one side is read, and heard, on both. */
async function expectShared(storage: RedisSessionStorage, other: RedisSessionStorage): Promise<void> {
  const heard: StorageChange[][] = [[], []];
  [storage, other].forEach((each, at) => each.changes((change) => heard[at]!.push(change)));
  const mine = await created(storage, 'alice');
  const theirs = await created(other, 'alice');
  expect(await other.get(mine.sessionId)).toEqual(mine);
  expect(await storage.listByLogin('alice')).toEqual([mine, theirs]);
  await eventually(() => heard.every(({ length }) => length === 2));
  const types = [mine, theirs].map(({ sessionId }) => ({ type: 'session.created', sessionId }));
  expect(heard).toMatchObject([types, types]);
}

const warnings = () => warned.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('client passed'));

describe('a client of the user’s own', () => {
  test('works, is left open and as it was, and the storage can be connected again', async () => {
    const client = ownClient(SAFE);
    const storage = new RedisSessionStorage({ client });
    const listeners = client.eventNames().map((name) => [name, client.listenerCount(name)]);
    for (let round = 0; round < 2; round++) {
      await storage.connect();
      await expectShared(storage, await connected({ url: server.url }));
      await WRITES.endAll(storage, await created(storage, 'alice'));
      await storage.close();
      expect(await client.ping()).toBe('PONG');
    }
    expect(client.eventNames().map((name) => [name, client.listenerCount(name)])).toEqual(listeners);
    expect(warnings()).toEqual([]);
  });

  test('is warned about where a setting of it is dangerous, and used all the same', async () => {
    const storage = await connected({ client: ownClient({}) });
    for (const name of ['socketTimeout', 'maxRetriesPerRequest', 'enableOfflineQueue']) {
      expect(warnings()).toContainEqual(expect.stringContaining(name));
    }
    await created(storage, 'alice');
  });

  test('may put a prefix before the keys of others: the sessions are where all look for them', async () => {
    const storage = await connected({ client: ownClient({ ...SAFE, keyPrefix: 'app:' }) });
    await expectShared(storage, await connected({ url: server.url }));
    for (const { key } of await server.describeKeys()) expect(key).toMatch(/^\{ds[:}]/u);
  });
});

describe('the ways to say where Redis is', () => {
  test('`options`, and a url with its defaults', async () => {
    const options = { host: server.host, port: server.port };
    await expectShared(await connected({ options }), await connected({ url: `${server.url}/` }));
    expect(warnings()).toEqual([]);
  });

  test('a database, which is the one that is used', async () => {
    const storage = await connected({ url: `${server.url}/3` });
    await expectShared(storage, await connected({ options: { host: server.host, port: server.port, db: 3 } }));
    expect(await server.describeKeys()).toEqual([]);
    expect(await server.info('keyspace', 'db3')).toMatch(/^keys=[1-9]/u);
  });

  test('a database, whose changes are not those of another one', async () => {
    const storages = [await connected({ url: server.url }), await connected({ url: `${server.url}/3` })] as const;
    const [first, second] = storages;
    const fourth = await connected({ client: ownClient({ ...SAFE, db: 4 }) });
    const heard: string[] = [];
    for (const each of [first, fourth]) each.changes(({ type }) => heard.push(type));
    second.changes(() => heard.push('in database 3'));
    for (let n = 0; n < 3; n++) await WRITES.end(second, await created(second, 'alice'));
    await eventually(() => heard.length >= 6);
    for (const each of [first, fourth]) await created(each, 'alice');
    await eventually(() => heard.length >= 8);
    expect(heard).toEqual([...Array.from({ length: 6 }, () => 'in database 3'), 'session.created', 'session.created']);
  });

  test('a database that there is not: it is refused, with the way out', async () => {
    const told = await settle(() => new RedisSessionStorage({ url: `${server.url}/99` }).connect());
    expect(told).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringContaining('no database 99') });
  });

  test('a user and a password with any characters; a wrong one is refused at once, and not told', async () => {
    await server.call('ACL', 'SETUSER', 'ann', 'on', '>p@ss/:%', '~*', '&*', '+@all');
    const at = `${server.host}:${server.port}`;
    const storage = await connected({ url: `redis://ann:${encodeURIComponent('p@ss/:%')}@${at}` });
    await expectShared(storage, await connected({ url: server.url }));
    const told = await settle(() => new RedisSessionStorage({ url: `redis://ann:CANARY@${at}` }).connect());
    expect(told).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringContaining('password') });
    expect(told.message).not.toContain('CANARY');
    expect(told.ms).toBeLessThan(5_000);
    expect(JSON.stringify(warned.mock.calls)).not.toContain('CANARY');
  });

  test('TLS, with a certificate that is trusted, and with none other', async () => {
    const { server: encrypted, tlsPort: port, certificate: ca } = await startTlsServer();
    cleanUps.push(() => encrypted.stop());
    const storage = await connected({ options: { host: encrypted.host, port, tls: { ca } } });
    await expectShared(storage, await connected({ url: encrypted.url }));
    const distrusting = new RedisSessionStorage({ url: `rediss://${encrypted.host}:${port}`, connectDeadlineMs: 500 });
    expect(await settle(() => distrusting.connect())).toMatchObject({
      outcome: 'ERR_STORAGE_UNAVAILABLE',
      message: expect.stringContaining('SELF_SIGNED'),
    });
  });
});
