import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { StorageChoice } from './storage-choice.js';

/** Under keys of its own: the demo finds no session that is not its own, and disturbs none. */
export function onRedis(url: string): StorageChoice {
  const keyPrefix = `demo-${randomUUID()}`;
  return {
    name: 'the Redis of DEMO_REDIS_URL',
    create: () => new RedisSessionStorage({ url, keyPrefix }),
    environment: { SESSION_STORAGE: 'redis', SESSION_STORAGE_URL: url, SESSION_STORAGE_KEY_PREFIX: keyPrefix },
    clear: async () => removeKeys(url, `{${keyPrefix}[:}]*`),
  };
}

async function removeKeys(url: string, pattern: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  // What was wrong with the connection was told before.
  redis.on('error', () => {});
  try {
    await redis.connect();
    for await (const keys of redis.scanStream({ match: pattern, count: 1_000 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await redis.unlink(keys);
    }
  } finally {
    redis.disconnect();
  }
}
