import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import type { RedisSettings } from '@distributed-session/test-servers/redis/redis-settings.js';
import { openRedisPair, type RedisStoragePair } from './redis-storage-pair.js';

/** The server of the current test, and its pair of storages. */
export interface RedisPairContext {
  readonly server: RedisServer;
  readonly pair: RedisStoragePair;
}

/** Starts one server for the tests of a file, and connects a new pair with its own key prefix for each test. */
export function useRedisPair(options?: Parameters<typeof openRedisPair>[1]): RedisPairContext {
  let server: RedisServer;
  let pair: RedisStoragePair;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(async () => {
    pair = await openRedisPair(server, options);
  });
  afterEach(async () => {
    pair.proxy.healthy();
    await pair.close();
  });
  afterAll(() => server.stop());
  return {
    get server() {
      return server;
    },
    get pair() {
      return pair;
    },
  };
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
