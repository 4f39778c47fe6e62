import { Redis } from 'ioredis';

export interface RedisCredentials {
  readonly username?: string;
  readonly password: string;
}

/** Long enough for a busy machine. Detects a frozen server. */
const WAIT_LIMIT_MS = 5_000;

/** Runs the work on a separate connection that sends nothing by itself, and closes it. */
export async function withRedis<T>(
  port: number,
  credentials: RedisCredentials | undefined,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    ...credentials,
    host: '127.0.0.1',
    port,
    // Commands that the client sends on connect would count among the test's commands.
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: WAIT_LIMIT_MS,
    commandTimeout: WAIT_LIMIT_MS,
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
