import { randomUUID } from 'node:crypto';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { openPair, type StoragePair } from '../storage/storage-pair.js';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** A pair on Redis. */
export interface RedisStoragePair extends StoragePair<RedisSessionStorage> {
  readonly keyPrefix: string;
}

/** Connects a pair with its own keys. */
export async function openRedisPair(
  server: RedisServer,
  options: Omit<RedisSessionStorageOptions, 'url' | 'options' | 'cluster' | 'client' | 'keyPrefix'> = {},
): Promise<RedisStoragePair> {
  const keyPrefix = `ds:${randomUUID()}`;
  const pair = await openPair(
    server,
    ({ host, port }) => new RedisSessionStorage({ ...options, url: `redis://${host}:${port}`, keyPrefix }),
  );
  return { ...pair, keyPrefix };
}
