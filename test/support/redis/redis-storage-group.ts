import { randomUUID } from 'node:crypto';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { StorageGroup } from '../storage/storage-group.js';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** Several storages on Redis that share their keys, and nobody else does. */
export class RedisStorageGroup extends StorageGroup<RedisSessionStorage> {
  private constructor(
    readonly keyPrefix: string,
    storages: readonly RedisSessionStorage[],
  ) {
    super(storages);
  }

  static async open(count: number, servers: RedisSessionStorageOptions): Promise<RedisStorageGroup> {
    const options = { keyPrefix: `ds:${randomUUID()}`, heartbeatIntervalMs: 200, ...servers };
    const storages = Array.from({ length: count }, () => new RedisSessionStorage(options));
    const group = new RedisStorageGroup(options.keyPrefix, storages);
    await group.connect();
    return group;
  }

  /**
   * One more, connected to this server itself. It sees what is there while others, told of a failover by one Sentinel
   * after the other, may be opening their connections once more.
   */
  async witness({ url }: RedisServer): Promise<RedisSessionStorage> {
    return this.join(new RedisSessionStorage({ url, keyPrefix: this.keyPrefix }));
  }
}
