import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { creation } from '../storage/storage-calls.js';
import { type Grantee, OWNER, grantRoles, urlOf } from './granted-roles.js';

/** A server with the roles of docs/postgres-grants. The owner's storage is connected; others close after each test. */
export interface GrantedRoles {
  readonly server: PostgresServer;
  readonly owner: PostgresSessionStorage;
  readonly connectAs: (role: Grantee, options?: PostgresSessionStorageOptions) => Promise<PostgresSessionStorage>;
}

/** Starts the server before the tests of a file, and stops it after them. */
export function useGrantedRoles(): GrantedRoles {
  let server: PostgresServer;
  let owner: PostgresSessionStorage;
  const opened: PostgresSessionStorage[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
    await grantRoles(server);
    await server.query('CREATE TABLE public.of_others AS SELECT 1 AS secret');
    owner = new PostgresSessionStorage({ url: urlOf(server, OWNER), heartbeatIntervalMs: 50 });
    await owner.connect();
  });

  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close();
  });

  afterAll(async () => {
    await owner.close();
    await server.stop();
  });

  return {
    get server() {
      return server;
    },
    get owner() {
      return owner;
    },
    connectAs: async (role, options = { migrate: 'check' }) => {
      const storage = new PostgresSessionStorage({ url: urlOf(server, role), ...options });
      opened.push(storage);
      await storage.connect();
      return storage;
    },
  };
}

/** A session that is past its end, but has no tombstone yet. */
export async function due(owner: PostgresSessionStorage, loginId: string): Promise<string> {
  const session = { ...creation(owner, loginId), idleTimeoutMs: 1 };
  await owner.create(session);
  await eventually(async () => (await owner.get(session.sessionId))?.state === 'ended');
  return session.sessionId;
}

/** Resolves once the feed works steadily: a feed that the server refuses reconnects again and again. */
export async function waitForFeed(storage: PostgresSessionStorage): Promise<void> {
  const endsAt = performance.now() + 3_000;
  for (let rounds = 0; rounds < 5; rounds = storage.feedLagMs() < Infinity ? rounds + 1 : 0) {
    if (performance.now() > endsAt) throw new Error('The change feed does not work.');
    await setTimeout(20);
  }
}

/** The statements that are not rejected for a missing privilege. */
export async function allowed(
  server: PostgresServer,
  role: Grantee | typeof OWNER,
  statements: readonly string[],
): Promise<string[]> {
  return withPostgres(urlOf(server, role), async (client) => {
    const found: string[] = [];
    for (const statement of statements) {
      const error = await client.query(statement).then(
        () => ({ code: 'none' }),
        (refusal: { code?: string }) => refusal,
      );
      if (error.code !== '42501') found.push(`${statement}: ${error.code}`);
    }
    return found;
  });
}

export const FORBIDDEN_TO_ALL = [
  'DROP TABLE distributed_session',
  'TRUNCATE distributed_session',
  'TRUNCATE distributed_session_change',
  'ALTER TABLE distributed_session ADD COLUMN more text',
  'CREATE INDEX ON distributed_session (device)',
  'CREATE TABLE public.more (n integer)',
  'CREATE SCHEMA more',
  'CREATE OR REPLACE FUNCTION distributed_now_ms() RETURNS bigint LANGUAGE sql AS $$ SELECT 0::bigint $$',
  'DROP FUNCTION distributed_now_ms()',
  'SELECT distributed_recount_sessions()',
  `INSERT INTO distributed_session_migration (version, name) VALUES (99, 'more')`,
  'UPDATE distributed_session_migration SET version = 0',
  'DELETE FROM distributed_session_migration',
  'INSERT INTO distributed_session_count (shard) VALUES (99)',
  'DELETE FROM distributed_session_count',
  "INSERT INTO distributed_session_lock VALUES (-9, 'more')",
  'UPDATE distributed_session_lock SET number = -9',
  'DELETE FROM distributed_session_lock',
  `UPDATE distributed_session_change SET change = ''`,
  `SELECT setval('distributed_session_place', 1)`,
  'SELECT * FROM of_others',
  'SELECT * FROM pg_authid',
];
export const FORBIDDEN_TO_READERS = [
  ...['session', 'session_count', 'service', 'service_secret', 'session_change', 'current_service'].map(
    (table) => `DELETE FROM distributed_${table}`,
  ),
  'UPDATE distributed_session SET version = version',
  'SELECT FROM distributed_session FOR SHARE',
  'SELECT FROM distributed_session_lock FOR UPDATE',
  `SELECT nextval('distributed_session_place')`,
  `SELECT distributed_remove_service('orders', 'tests', '')`,
];
