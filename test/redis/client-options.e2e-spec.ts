import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { startTlsServer } from '../support/redis/self-signed.js';
import { settle } from '../support/storage/settled-call.js';
import { expectShared } from '../support/storage/shared-sessions.js';
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

const warnings = () => warned.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('client passed'));

describe('The client option of RedisSessionStorage', () => {
  test('leaves the client open and unchanged, and allows the storage to reconnect', async () => {
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

  test('accepts a client with unsafe settings and logs a warning for each', async () => {
    const storage = await connected({ client: ownClient({}) });
    for (const name of ['socketTimeout', 'maxRetriesPerRequest', 'enableOfflineQueue']) {
      expect(warnings()).toContainEqual(expect.stringContaining(name));
    }
    await created(storage, 'alice');
  });

  test.each<[string, RedisOptions]>([
    ["replyMapping: 'resp3'", { replyMapping: 'resp3' }],
    ['stringNumbers', { stringNumbers: true }],
    ['protocol: 2', { protocol: 2 }],
    ['autoPipelining', { enableAutoPipelining: true }],
  ])('accepts a client with %s, which changes the form of its replies', async (_name, options) => {
    const storage = await connected({ client: ownClient({ ...SAFE, ...options }) });
    await expectShared(storage, await connected({ url: server.url }));
    const counts = { sessions: 2, logins: 1 };
    expect(await storage.count()).toEqual(counts);
  });

  test.each([
    ['subscribes to a channel', (client: Redis) => client.subscribe('channel')],
    ['subscribes to a pattern', (client: Redis) => client.psubscribe('*')],
  ])('rejects a client that %s, on which no other command can run, with a solution', async (_what, subscribe) => {
    const client = ownClient({ protocol: 2 });
    await subscribe(client);
    const settled = await settle(() => new RedisSessionStorage({ client }).connect());
    expect(settled).toMatchObject({
      outcome: 'ERR_OPTIONS',
      message: expect.stringContaining('subscriber mode: pass a client without subscriptions'),
    });
  });

  test('does not apply the client’s own key prefix to the keys of the storage', async () => {
    const storage = await connected({ client: ownClient({ ...SAFE, keyPrefix: 'app:' }) });
    await expectShared(storage, await connected({ url: server.url }));
    for (const { key } of await server.describeKeys()) expect(key).toMatch(/^\{ds[:}]/u);
  });
});

describe('The server options of RedisSessionStorage', () => {
  test('accept ioredis options and a url with defaults', async () => {
    const options = { host: server.host, port: server.port };
    await expectShared(await connected({ options }), await connected({ url: `${server.url}/` }));
    expect(warnings()).toEqual([]);
  });

  test('select the given database', async () => {
    const storage = await connected({ url: `${server.url}/3` });
    await expectShared(storage, await connected({ options: { host: server.host, port: server.port, db: 3 } }));
    expect(await server.describeKeys()).toEqual([]);
    expect(await server.info('keyspace', 'db3')).toMatch(/^keys=[1-9]/u);
  });

  test('keep the connection that follows a lost one, although a call was in flight', async () => {
    const proxy = await TcpProxy.start(server);
    cleanUps.push(() => proxy.stop());
    const options = { host: proxy.host, port: proxy.port, socketTimeout: 500 };
    const storage = await connected({ options, heartbeatIntervalMs: 50 });
    const { sessionId } = await created(storage, 'alice');
    proxy.blackHole('down');
    const lost = settle(() => storage.get(sessionId));
    await eventually(() => proxy.heldBytes > 0);
    const until = performance.now() + 3 * options.socketTimeout;
    proxy.cut();
    proxy.healthy();
    expect((await lost).outcome).toBe('ERR_STORAGE_UNAVAILABLE');
    await eventually(
      async () => storage.feedLagMs() < Infinity && (await settle(() => storage.get(sessionId))).outcome === 'read',
    );
    const opened = proxy.connectionsOpened;
    await eventually(() => performance.now() > until);
    expect(proxy.connectionsOpened).toBe(opened);
  });

  test('separate the changes of different databases', async () => {
    const storages = [await connected({ url: server.url }), await connected({ url: `${server.url}/3` })] as const;
    const [first, second] = storages;
    const fourth = await connected({ client: ownClient({ ...SAFE, db: 4 }) });
    const received: string[] = [];
    for (const each of [first, fourth]) each.changes(({ type }) => received.push(type));
    second.changes(() => received.push('in database 3'));
    for (let n = 0; n < 3; n++) await WRITES.end(second, await created(second, 'alice'));
    await eventually(() => received.length >= 6);
    for (const each of [first, fourth]) await created(each, 'alice');
    await eventually(() => received.length >= 8);
    expect(received).toEqual([
      ...Array.from({ length: 6 }, () => 'in database 3'),
      'session.created',
      'session.created',
    ]);
  });

  test('reject a database that does not exist, with a solution', async () => {
    const settled = await settle(() => new RedisSessionStorage({ url: `${server.url}/99` }).connect());
    expect(settled).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringContaining('no database 99') });
  });

  test('accept a user and a password with special characters, and reject a wrong password without repeating it', async () => {
    await server.call('ACL', 'SETUSER', 'ann', 'on', '>p@ss/:%', '~*', '&*', '+@all');
    const at = `${server.host}:${server.port}`;
    const storage = await connected({ url: `redis://ann:${encodeURIComponent('p@ss/:%')}@${at}` });
    await expectShared(storage, await connected({ url: server.url }));
    const [url, connectDeadlineMs] = [`redis://ann:CANARY@${at}`, 60_000];
    const settled = await settle(() => new RedisSessionStorage({ url, connectDeadlineMs }).connect());
    expect(settled).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringContaining('password') });
    expect(settled.message).not.toContain('CANARY');
    // Not the result of the connect deadline.
    expect(settled.ms).toBeLessThan(connectDeadlineMs);
    expect(JSON.stringify(warned.mock.calls)).not.toContain('CANARY');
  });

  test('connect over TLS only to a server with a trusted certificate', async () => {
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
