import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { startTlsServer } from '../support/redis/self-signed.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, WRITES } from '../support/storage/storage-calls.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';

let server: RedisServer;
let storages: RedisSessionStorage[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
});

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
});

afterEach(async () => {
  jest.restoreAllMocks();
  server.resume();
  for (const storage of storages) await storage.close();
  storages = [];
});

afterAll(() => server.stop());

function storageOf(options: RedisSessionStorageOptions = {}): RedisSessionStorage {
  const storage = new RedisSessionStorage({ url: server.url, deadlineMs: 5_000, ...options });
  storages.push(storage);
  return storage;
}

/** Rejects unless nobody but the test itself is connected. */
async function expectNobodyConnected(): Promise<void> {
  await eventually(async () => (await server.info('clients', 'connected_clients')) === '1');
}

const CLOSED = { outcome: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining('closed') };

describe('connect() and close()', () => {
  test('are counted: the first owner opens, the last closes, and then it can be opened again', async () => {
    const storage = storageOf();
    expect(await settle(() => storage.listByLogin('alice'))).toMatchObject(CLOSED);
    for (let round = 0; round < 2; round++) {
      await Promise.all([storage.connect(), storage.connect()]);
      await storage.close();
      const session = await created(storage, 'alice');
      await storage.close();
      await storage.close();
      expect(await settle(() => storage.get(session.sessionId))).toMatchObject(CLOSED);
      expect(await settle(() => WRITES.end(storage, session))).toMatchObject(CLOSED);
      await expectNobodyConnected();
    }
  });

  test('a storage that is closed lets the calls under way settle, also one that takes a second round', async () => {
    const storage = storageOf();
    await storage.connect();
    const session = await created(storage, 'alice');
    await server.call('SCRIPT', 'FLUSH');
    server.freeze();
    const order: string[] = [];
    const calls = [() => storage.create(creation(storage, 'bob')), () => storage.get(session.sessionId)].map((call) =>
      settle(call).finally(() => order.push('call')),
    );
    const closing = storage.close().finally(() => order.push('close'));
    expect(await settle(() => storage.get(session.sessionId))).toMatchObject(CLOSED);
    server.resume();
    expect(await Promise.all(calls)).toMatchObject([{ outcome: 'created' }, { outcome: 'read' }]);
    await closing;
    expect(order).toEqual(['call', 'call', 'close']);
    await expectNobodyConnected();
  });

  test('a storage that is closed while it connects leaves nothing open, and can be connected again', async () => {
    const storage = storageOf();
    server.freeze();
    const connecting = settle(() => storage.connect());
    const closing = storage.close();
    server.resume();
    expect(await connecting).toMatchObject(CLOSED);
    await closing;
    expect(await settle(() => storage.listByLogin('alice'))).toMatchObject(CLOSED);
    await expectNobodyConnected();
    await storage.connect();
    await created(storage, 'alice');
  });

  test('a storage that is closed and connected in one breath is open, with a feed that works, however long closing takes', async () => {
    const proxy = await TcpProxy.start(server);
    const storage = storageOf({ url: `redis://${proxy.host}:${proxy.port}`, heartbeatIntervalMs: 50 });
    await storage.connect();
    // A heartbeat is on its way, and stays there while a new connection would be open at once.
    proxy.latency({ ms: 300 });
    await eventually(() => proxy.heldBytes > 0);
    proxy.latency({ ms: 0 });
    await Promise.all([storage.close(), storage.connect()]);
    const heard: string[] = [];
    storage.changes(({ type }) => heard.push(type));
    await created(storage, 'alice');
    await eventually(() => heard.length > 0 && storage.feedLagMs() < 1_000);
    expect(heard).toEqual(['session.created']);
    await storage.close();
    await proxy.stop();
    await expectNobodyConnected();
  });

  test('a storage that was closed while it failed to connect can be connected when the server is there', async () => {
    const port = await freePort();
    const storage = storageOf({ url: `redis://127.0.0.1:${port}`, connectDeadlineMs: 300 });
    const connecting = [settle(() => storage.connect()), settle(() => storage.connect())];
    await Promise.all([storage.close(), ...connecting]);
    expect(await connecting[0]).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
    const late = await RedisServer.start({ port });
    try {
      await storage.connect();
      await created(storage, 'alice');
      await storage.close();
      expect(await settle(() => storage.listByLogin('alice'))).toMatchObject(CLOSED);
    } finally {
      await late.stop();
    }
  });
});

describe('a connect that is given up within the TLS handshake', () => {
  test.each(['server', 'cluster'] as const)(
    'ends quietly on a %s, although the server complains of the cut and the certificate is refused',
    async (kind) => {
      const { server: encrypted, tlsPort } = await startTlsServer();
      const proxy = await TcpProxy.start({ host: encrypted.host, port: tlsPort });
      try {
        const { host, port } = proxy;
        const options: RedisSessionStorageOptions =
          kind === 'server'
            ? { options: { host, port, tls: {} } }
            : {
                cluster: { nodes: [{ host, port }], options: { slotsRefreshTimeout: 100, redisOptions: { tls: {} } } },
              };
        proxy.blackHole('up');
        const storage = new RedisSessionStorage({ ...options, connectDeadlineMs: 200 });
        expect(await settle(() => storage.connect())).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
        expect(proxy.connectionsOpened).toBeGreaterThan(0);
        // The handshake and the complaint come when nobody waits for them any more. An error that nobody hears would
        // end a process, and ends this test.
        await eventually(() => proxy.heldBytes > 0);
        proxy.release();
        await eventually(() => proxy.connectionsOpen === 0);
      } finally {
        await proxy.stop();
        await encrypted.stop();
      }
    },
  );
});
