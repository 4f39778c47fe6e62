import { randomUUID } from 'node:crypto';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { StorageGroup } from '../storage/storage-group.js';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** Several storages on Redis that share a key prefix of their own. */
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
   * Connects one more storage directly to this server. It can read while the others may reconnect once more, because
   * slower Sentinels announce the failover again.
   */
  async witness({ url }: RedisServer): Promise<RedisSessionStorage> {
    return this.join(new RedisSessionStorage({ url, keyPrefix: this.keyPrefix }));
  }
}
