import { afterAll, beforeAll } from '@jest/globals';
import type { PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import type { CreateStorageFixture } from 'nestjs-distributed-session/testing';
import { Client } from 'pg';
import { Pgbouncer } from '@distributed-session/test-servers/pgbouncer/pgbouncer.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { grantRoles, urlOf } from './granted-roles.js';
import { postgresFixture } from './postgres-fixture.js';

/** Fewer server connections than one storage has clients, so that they really are shared. */
export const SHARED_POOL = { pool_mode: 'transaction', default_pool_size: 2 } as const;

/** The addresses of one database. */
export interface PooledUrls {
  /** Through the pooler. */
  readonly pooled: string;
  /** Past the pooler. */
  readonly direct: string;
}

/**
 * A storage behind a PgBouncer in transaction mode, as a user with the rights of docs/postgres-grants/registry.sql and no
 * others.
 */
export function sharedPoolFixture(feedOf: (urls: PooledUrls) => PostgresSessionStorageOptions): CreateStorageFixture {
  let server: PostgresServer;
  let pooler: Pgbouncer;
  let owner: Client;

  beforeAll(async () => {
    server = await PostgresServer.start();
    await grantRoles(server);
    const { username, password } = new URL(urlOf(server, 'registry'));
    pooler = await Pgbouncer.start(server, { settings: SHARED_POOL, users: { [username]: password } });
    owner = new Client({ connectionString: server.url });
    await owner.connect();
  });

  afterAll(async () => {
    await owner.end();
    await pooler.stop();
    await server.stop();
  });

  return postgresFixture(() => {
    const direct = urlOf(server, 'registry');
    const pooled = pooler.urlOf(direct);
    return {
      options: { url: pooled, migrate: 'check', options: { max: 5 }, ...feedOf({ pooled, direct }) },
      query: async (text) => owner.query(text),
      dump: async () => server.dump(),
    };
  });
}
