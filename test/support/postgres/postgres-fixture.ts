import { afterAll, beforeAll } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import type { CreateStorageFixture } from 'nestjs-distributed-session/testing';
import { Client } from 'pg';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { grantRoles, urlOf } from './granted-roles.js';

/**
 * Empties every table with the default names, in one statement; secrets go with their services. On few rows, this is
 * faster than TRUNCATE, which creates new files. The numbers of the changes go on.
 */
const CLEAR = `
WITH session AS (DELETE FROM distributed_session),
  change AS (DELETE FROM distributed_session_change),
  service AS (DELETE FROM distributed_service)
UPDATE distributed_session_count SET sessions = 0, logins = 0 WHERE sessions <> 0`;

export interface PostgresTarget {
  /** How the storage connects. Its tables exist. */
  readonly options: PostgresSessionStorageOptions;
  /** Runs one statement as the owner of the tables. */
  readonly query: (text: string) => Promise<unknown>;
  /** Everything in all tables, as text. */
  readonly dump?: () => Promise<string>;
}

/**
 * A storage on a running server that no other storage uses at the same time. Its deadline is not the default: the suites
 * check outcomes, and 100 concurrent logins of one user take longer than a second on a busy machine.
 */
export function postgresFixture(target: () => PostgresTarget): CreateStorageFixture {
  return () => {
    const { query, dump, ...given } = target();
    const options = { deadlineMs: 10_000, ...given.options };
    const clear = async () => {
      await query(CLEAR);
    };
    return {
      storage: new PostgresSessionStorage(options),
      clear,
      another: async () => {
        const other = new PostgresSessionStorage(options);
        await other.connect();
        return other;
      },
      ...(dump && { dump }),
      // A row has no format of its own: what a later release adds is in other columns, or in the payload.
      makeUnreadable: async (sessionId) => {
        await query(`UPDATE distributed_session SET created_at = -1 WHERE session_id = '${sessionId}'`);
      },
      dispose: clear,
    };
  };
}

/** A storage on its own server, as a user with the rights of docs/postgres-grants/registry.sql and no others. */
export function restrictedPostgresFixture(): CreateStorageFixture {
  let server: PostgresServer;
  let owner: Client;

  beforeAll(async () => {
    server = await PostgresServer.start();
    await grantRoles(server);
    owner = new Client({ connectionString: server.url });
    await owner.connect();
  });

  afterAll(async () => {
    await owner.end();
    await server.stop();
  });

  return postgresFixture(() => ({
    options: { url: urlOf(server, 'registry'), migrate: 'check', options: { max: 5 } },
    query: async (text) => owner.query(text),
    dump: async () => server.dump(),
  }));
}
