import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { StoragePair } from './storage-pair.js';

/** The server of the current test, and its pair of storages. */
export interface ServerPairContext<Server, Pair> {
  readonly server: Server;
  readonly pair: Pair;
}

/** Starts one server for the tests of a file, and connects a new pair with its own data for each test. */
export function useServerPair<Server extends { stop(): Promise<void> }, Pair extends StoragePair>(
  start: () => Promise<Server>,
  open: (server: Server) => Promise<Pair>,
): ServerPairContext<Server, Pair> {
  let server: Server;
  let pair: Pair;
  beforeAll(async () => {
    server = await start();
  });
  beforeEach(async () => {
    pair = await open(server);
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
