import { afterEach } from '@jest/globals';
import { RedisSentinels } from '@distributed-session/test-servers/redis/redis-sentinels.js';
import type { RedisSettings } from '@distributed-session/test-servers/redis/redis-settings.js';
import { RedisStorageGroup } from './redis-storage-group.js';

/** A master rejects writes that none of its replicas would receive. */
export const REJECT_UNREPLICATED: RedisSettings = { 'min-replicas-to-write': 1, 'min-replicas-max-lag': 2 };

/** The Sentinels of a test, and a group of storages on their master. */
export interface SentinelsContext {
  readonly sentinels: RedisSentinels;
  readonly group: RedisStorageGroup;
}

/** Provides `start()`, which starts a master with Sentinels and connects a group; all are closed after the test. */
export function useSentinels() {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });
  return async (storages: number, settings?: RedisSettings): Promise<SentinelsContext> => {
    const sentinels = await RedisSentinels.start({ settings });
    stops.push(() => sentinels.stop());
    const options = { sentinels: sentinels.sentinels, name: sentinels.masterName };
    const group = await RedisStorageGroup.open(storages, { options });
    stops.push(() => group.close());
    return { sentinels, group };
  };
}
