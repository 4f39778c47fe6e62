import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { openPostgresPair, type PostgresStoragePair } from './postgres-storage-pair.js';

/** The server of the current test, and its pair of storages. */
export interface PostgresPairContext {
  readonly server: PostgresServer;
  readonly pair: PostgresStoragePair;
}

/** Starts one server for the tests of a file, and connects a new pair with its own database for each test. */
export function usePostgresPair(options?: Parameters<typeof openPostgresPair>[1]): PostgresPairContext {
  let server: PostgresServer;
  let pair: PostgresStoragePair;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  beforeEach(async () => {
    pair = await openPostgresPair(server, options);
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
