import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import type { TcpTarget } from '@distributed-session/test-servers/proxy/tcp-proxy-connection.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, WRITES } from '../support/storage/storage-calls.js';
import type { ServerStorageContext, StorageOptions } from './server-storage-target.js';

const CLOSED = { outcome: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining('closed') };

export function describeOpeningAndClosing(context: ServerStorageContext): void {
  describe('connect() and close()', () => {
    const cleanUps: (() => Promise<unknown>)[] = [];

    beforeEach(() => {
      jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    });

    afterEach(async () => {
      context.server.resume();
      for (const cleanUp of cleanUps.splice(0)) await cleanUp();
      jest.restoreAllMocks();
    });

    function newStorage(address: TcpTarget = context.server, options: StorageOptions = {}): SessionStorage {
      const storage = context.newStorage(address, { deadlineMs: 5_000, ...options });
      cleanUps.push(() => storage.close());
      return storage;
    }

    test('count their calls: the last owner closes the storage, which can be opened again', async () => {
      const storage = newStorage();
      expect(await settle(() => storage.listByLogin('alice'))).toMatchObject(CLOSED);
      for (let round = 0; round < 2; round++) {
        await Promise.all([storage.connect(), storage.connect()]);
        await storage.close();
        const session = await created(storage, 'alice');
        await storage.close();
        await storage.close();
        expect(await settle(() => storage.get(session.sessionId))).toMatchObject(CLOSED);
        expect(await settle(() => WRITES.end(storage, session))).toMatchObject(CLOSED);
        await waitUntilDisconnected(context);
      }
    });

    test('close() waits for the calls in flight, including those that take a second round trip', async () => {
      const storage = newStorage();
      await storage.connect();
      const session = await created(storage, 'alice');
      await context.forgetScripts();
      context.server.freeze();
      const order: string[] = [];
      const calls = [() => storage.create(creation(storage, 'bob')), () => storage.get(session.sessionId)].map((call) =>
        settle(call).finally(() => order.push('call')),
      );
      const closing = storage.close().finally(() => order.push('close'));
      expect(await settle(() => storage.get(session.sessionId))).toMatchObject(CLOSED);
      context.server.resume();
      expect(await Promise.all(calls)).toMatchObject([{ outcome: 'created' }, { outcome: 'read' }]);
      await closing;
      expect(order).toEqual(['call', 'call', 'close']);
      await waitUntilDisconnected(context);
    });

    test('close() during connect() leaves no connection open, and the storage can be connected again', async () => {
      const storage = newStorage();
      context.server.freeze();
      const connecting = settle(() => storage.connect());
      const closing = storage.close();
      context.server.resume();
      expect(await connecting).toMatchObject(CLOSED);
      await closing;
      expect(await settle(() => storage.listByLogin('alice'))).toMatchObject(CLOSED);
      await waitUntilDisconnected(context);
      await storage.connect();
      await created(storage, 'alice');
    });

    test('connect() during a slow close() opens the storage and its change feed', async () => {
      const proxy = await TcpProxy.start(context.server);
      cleanUps.push(() => proxy.stop());
      const storage = newStorage(proxy, { heartbeatIntervalMs: 50 });
      await storage.connect();
      // Bytes are in flight on the old connection, and stay there while a new connection opens at once.
      proxy.latency({ ms: 300 });
      await eventually(() => proxy.heldBytes > 0);
      proxy.latency({ ms: 0 });
      await Promise.all([storage.close(), storage.connect()]);
      const received: string[] = [];
      storage.changes(({ type }) => received.push(type));
      await created(storage, 'alice');
      await eventually(() => received.length > 0 && storage.feedLagMs() < 1_000);
      expect(received).toEqual(['session.created']);
      await storage.close();
      await waitUntilDisconnected(context);
    });

    test('close() during a failing connect() lets the storage connect once the server is there', async () => {
      const port = await freePort();
      const storage = newStorage({ host: '127.0.0.1', port }, { connectDeadlineMs: 300 });
      const connecting = [settle(() => storage.connect()), settle(() => storage.connect())];
      await Promise.all([storage.close(), ...connecting]);
      expect(await connecting[0]).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
      const late = await context.startServer(port);
      cleanUps.push(() => late.stop());
      await storage.connect();
      await created(storage, 'alice');
      await storage.close();
      expect(await settle(() => storage.listByLogin('alice'))).toMatchObject(CLOSED);
    });
  });
}

async function waitUntilDisconnected({ connections }: ServerStorageContext): Promise<void> {
  await eventually(async () => (await connections()).length === 0);
}
