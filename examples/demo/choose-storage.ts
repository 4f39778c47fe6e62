import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';

/** A storage that can be chosen, for services that hold it themselves and for the session service. */
export interface StorageChoice {
  /** As a sentence of the transcript names it. */
  readonly name: string;
  create(): SessionStorage;
  /** The environment that makes the session service use it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Leaves nothing in the store, when nobody uses it any more. */
  clear(): Promise<void>;
}

/** The storage that the environment asks for. This is the one place that chooses. */
export function chooseStorage({ DEMO_REDIS_URL }: NodeJS.ProcessEnv): StorageChoice {
  if (!DEMO_REDIS_URL) {
    return {
      name: 'an in-memory storage',
      create: () => new InMemorySessionStorage(),
      environment: { SESSION_STORAGE: 'memory' },
      clear: async () => {},
    };
  }
  // Keys of its own: the demo finds no session that is not its own, and disturbs none.
  const keyPrefix = `demo-${randomUUID()}`;
  return {
    name: 'the Redis of DEMO_REDIS_URL',
    create: () => new RedisSessionStorage({ url: DEMO_REDIS_URL, keyPrefix }),
    environment: {
      SESSION_STORAGE: 'redis',
      SESSION_STORAGE_URL: DEMO_REDIS_URL,
      SESSION_STORAGE_KEY_PREFIX: keyPrefix,
    },
    clear: async () => removeKeys(DEMO_REDIS_URL, `{${keyPrefix}[:}]*`),
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
