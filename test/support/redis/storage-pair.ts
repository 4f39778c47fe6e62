import { randomUUID } from 'node:crypto';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '../eventually.js';
import { TcpProxy } from '../tcp-proxy.js';
import type { RedisServer } from './redis-server.js';
import { settle } from './settled-call.js';

/** Two storages on the same sessions: one that faults befall, and one that sees what is there. */
export interface StoragePair {
  readonly keyPrefix: string;
  /** What stands between `storage` and the server. */
  readonly proxy: TcpProxy;
  readonly storage: RedisSessionStorage;
  /** Connected to the server itself. */
  readonly witness: RedisSessionStorage;
  /** Resolves once `storage` is answered again. */
  readonly waitUntilConnected: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Connects a pair that nobody else shares a key with. */
export async function openStoragePair(
  server: RedisServer,
  options: Omit<RedisSessionStorageOptions, 'url' | 'options' | 'cluster' | 'client' | 'keyPrefix'> = {},
): Promise<StoragePair> {
  const keyPrefix = `ds:${randomUUID()}`;
  const proxy = await TcpProxy.start(server);
  const [storage, witness] = [proxy, server].map(
    ({ host, port }) => new RedisSessionStorage({ ...options, url: `redis://${host}:${port}`, keyPrefix }),
  ) as [RedisSessionStorage, RedisSessionStorage];
  const close = async () => {
    await Promise.all([storage.close(), witness.close()]);
    await proxy.stop();
  };
  try {
    await Promise.all([storage.connect(), witness.connect()]);
  } catch (error) {
    await close();
    throw error;
  }
  const waitUntilConnected = () => eventually(async () => (await settle(() => storage.ping())).outcome === 'read');
  return { keyPrefix, proxy, storage, witness, waitUntilConnected, close };
}
