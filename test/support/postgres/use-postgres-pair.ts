import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { type ServerPairContext, useServerPair } from '../storage/use-server-pair.js';
import { openPostgresPair, type PostgresStoragePair } from './postgres-storage-pair.js';

/** Starts one server for the tests of a file, and connects a new pair with its own database for each test. */
export function usePostgresPair(
  options?: Parameters<typeof openPostgresPair>[1],
): ServerPairContext<PostgresServer, PostgresStoragePair> {
  return useServerPair(
    () => PostgresServer.start(),
    (server) => openPostgresPair(server, options),
  );
}
