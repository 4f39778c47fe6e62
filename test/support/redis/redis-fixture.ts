import { randomUUID } from 'node:crypto';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import type { CreateStorageFixture } from 'nestjs-distributed-session/testing';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

export interface RedisTarget {
  /** Where the storage finds Redis. Without a key prefix, each fixture has one of its own. */
  readonly options: RedisSessionStorageOptions;
  /** The servers that hold the data. */
  readonly servers: readonly RedisServer[];
}

/**
 * A storage on servers that are already running, empty because nobody else has its key prefix. Ten thousand calls at
 * once, as one case of the suite makes, may take a busy machine longer than the default deadline.
 */
export function redisFixture(target: () => RedisTarget): CreateStorageFixture {
  return async () => {
    const { options, servers } = target();
    const shared = { keyPrefix: `ds:${randomUUID()}`, deadlineMs: 5_000, ...options };
    const others: RedisSessionStorage[] = [];
    return {
      storage: new RedisSessionStorage(shared),
      another: async () => {
        const other = new RedisSessionStorage(shared);
        others.push(other);
        await other.connect();
        return other;
      },
      dump: async () => (await onMasters(servers, async (server) => server.dump())).join('\n'),
      dispose: async () => {
        for (const other of others) await other.close();
        await onMasters(servers, async (server) => server.call('FLUSHALL'));
      },
    };
  };
}

async function onMasters<T>(servers: readonly RedisServer[], work: (server: RedisServer) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const server of servers) {
    if ((await server.info('replication', 'role')) === 'master') results.push(await work(server));
  }
  return results;
}
