import { afterEach } from '@jest/globals';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import type { RedisSettings } from '@distributed-session/test-servers/redis/redis-settings.js';
import { type ServerPairContext, useServerPair } from '../storage/use-server-pair.js';
import { openRedisPair, type RedisStoragePair } from './redis-storage-pair.js';

type RedisPairContext = ServerPairContext<RedisServer, RedisStoragePair>;

/** Starts one server for the tests of a file, and connects a new pair with its own key prefix for each test. */
export function useRedisPair(options?: Parameters<typeof openRedisPair>[1]): RedisPairContext {
  return useServerPair(
    () => RedisServer.start(),
    (server) => openRedisPair(server, options),
  );
}

/** Provides `start()`, which starts a server with the settings of one test and connects a pair; both are closed after it. */
export function useOwnRedisPair(options?: Parameters<typeof openRedisPair>[1]) {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });
  return async (settings: RedisSettings = {}): Promise<RedisPairContext> => {
    const server = await RedisServer.start({ settings });
    stops.push(() => server.stop());
    const pair = await openRedisPair(server, options);
    stops.push(() => pair.close());
    return { server, pair };
  };
}
