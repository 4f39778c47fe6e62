import { Redis } from 'ioredis';

export interface RedisCredentials {
  readonly username?: string;
  readonly password: string;
}

/** Long enough for a busy machine; a frozen server is found out by it. */
const PATIENCE_MS = 5_000;

/** Runs the work over a connection of its own that sends nothing by itself, and closes it. */
export async function withRedis<T>(
  port: number,
  credentials: RedisCredentials | undefined,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    ...credentials,
    host: '127.0.0.1',
    port,
    // A greeting or a check when it connects would be counted among the commands of the test.
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
  });
  let failure: Error | undefined;
  redis.on('error', (error: Error) => (failure = error));
  await redis.connect().catch((error: unknown) => {
    throw failure ?? error;
  });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
