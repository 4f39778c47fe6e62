import { beforeEach, expect } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { WRITES, created } from '../storage/storage-calls.js';
import { useServerPair } from '../storage/use-server-pair.js';
import { openPostgresPair } from './postgres-storage-pair.js';

export const HEARTBEAT_MS = 100;
export const HOUR_MS = 3_600_000;
/** A role that may connect, and nothing else. */
export const STRANGER = 'stranger_without_grants';

/** A pair of storages, and what the feed of one of them delivers. Call this at the top of a test file. */
export function useFeedPair() {
  const context = useServerPair(
    async () => {
      const server = await PostgresServer.start({ settings: { log_statement: 'all' } });
      await server.query(`CREATE ROLE ${STRANGER} LOGIN PASSWORD '${STRANGER}'`);
      return server;
    },
    (server) => openPostgresPair(server, { heartbeatIntervalMs: HEARTBEAT_MS, deadlineMs: 10_000 }),
  );
  const received: StorageChange[] = [];

  beforeEach(() => {
    received.length = 0;
    context.pair.storage.changes((change) => received.push(change));
  });

  return {
    received,
    get server() {
      return context.server;
    },
    get pair() {
      return context.pair;
    },

    /** Runs SQL in the pair's database, as the owner of the tables. */
    asOwner: async (text: string) => context.server.use(async (client) => client.query(text), context.pair.database),

    /** Expects the feed to deliver the changes of one session, in order and once, and nothing else. */
    expectDelivery: async (loginId: string) => {
      received.length = 0;
      const session = await created(context.pair.witness, loginId);
      await WRITES.replace(context.pair.witness, session);
      await WRITES.end(context.pair.witness, session);
      await eventually(() => received.some(({ type }) => type === 'session.ended'));
      expect(received.map(({ type }) => type)).toEqual(['session.created', 'session.updated', 'session.ended']);
    },
  };
}
