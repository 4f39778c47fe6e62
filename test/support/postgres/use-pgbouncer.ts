import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { Pgbouncer } from '@distributed-session/test-servers/pgbouncer/pgbouncer.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';

export interface PgbouncerContext {
  readonly server: PostgresServer;
  /** Starts a pooler for the current test. */
  readonly pooled: (settings?: Readonly<Record<string, string | number>>) => Promise<Pgbouncer>;
  /** Connects a storage for the current test. */
  readonly connected: (options: PostgresSessionStorageOptions) => Promise<PostgresSessionStorage>;
  /** Runs after the current test, before the poolers end. */
  readonly later: (cleanUp: () => Promise<unknown>) => void;
}

/** Starts one server for the tests of a file. */
export function usePgbouncer(): PgbouncerContext {
  const cleanUps: (() => Promise<unknown>)[] = [];
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  });

  afterAll(async () => {
    await server.stop();
  });

  return {
    get server() {
      return server;
    },
    pooled: async (settings = {}) => {
      const pooler = await Pgbouncer.start(server, { settings });
      cleanUps.push(async () => pooler.stop());
      return pooler;
    },
    connected: async (options) => {
      const storage = new PostgresSessionStorage(options);
      await storage.connect();
      cleanUps.push(async () => storage.close());
      return storage;
    },
    later: (cleanUp) => cleanUps.push(cleanUp),
  };
}
