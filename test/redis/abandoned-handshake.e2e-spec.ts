import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import { startTlsServer } from '../support/redis/self-signed.js';
import { settle } from '../support/storage/settled-call.js';

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('RedisSessionStorage.connect()', () => {
  test.each(['server', 'cluster'] as const)(
    'leaves no unhandled error when its deadline passes during the TLS handshake with a %s',
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
        // The handshake fails on the untrusted certificate after connect() has rejected. An unhandled error would end
        // the process, and fails this test.
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
