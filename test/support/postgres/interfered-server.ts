import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { type PostgresInterference, PostgresProxy } from '@distributed-session/test-servers/proxy/postgres-proxy.js';
import { startErrorsOf } from '../storage/start-errors.js';

/** A server, and proxies that interfere with it. Call this at the top of a test file. */
export function usePostgresInterference() {
  const cleanUps: (() => Promise<void>)[] = [];
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });

  afterAll(async () => {
    await server.stop();
  });

  return {
    get server() {
      return server;
    },

    /** A new database behind a proxy, for one test. */
    proxied: async (interference: PostgresInterference) => {
      const proxy = await PostgresProxy.start(await server.createDatabase(), interference);
      cleanUps.push(async () => proxy.stop());
      return proxy;
    },
  };
}

/** The errors with which a start is refused; what it logged, if it succeeds. */
export function errorsAt(url: string, options: PostgresSessionStorageOptions = {}): Promise<readonly string[]> {
  return startErrorsOf(new PostgresSessionStorage({ url, connectDeadlineMs: 20_000, ...options }));
}

/** Replaces a part of every statement. */
export const rewriting = (from: string | RegExp, to: string): PostgresInterference => ({
  rewrite: (sql) => sql.replaceAll(from, () => to),
});
