import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { openPair, type StoragePair } from '../storage/storage-pair.js';
import type { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';

/** A pair on PostgreSQL, with the application names `proxied` and `witness`. */
export interface PostgresStoragePair extends StoragePair<PostgresSessionStorage> {
  /** The name of its database. */
  readonly database: string;
}

/** Connects a pair to its own database. */
export async function openPostgresPair(
  server: PostgresServer,
  options: Omit<PostgresSessionStorageOptions, 'url' | 'pool'> = {},
): Promise<PostgresStoragePair> {
  const { href, pathname } = new URL(await server.createDatabase());
  const pair = await openPair(server, ({ port }) => {
    const url = new URL(href);
    url.port = String(port);
    const name = port === server.port ? 'witness' : 'proxied';
    return new PostgresSessionStorage({
      ...options,
      url: url.href,
      options: { application_name: name, ...options.options },
    });
  });
  return { ...pair, database: pathname.slice(1) };
}
