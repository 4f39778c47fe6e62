import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { openPair, type StoragePair } from '../storage/storage-pair.js';
import type { PostgresServer } from './postgres-server.js';

export type PostgresStoragePair = StoragePair<PostgresSessionStorage>;

/** Connects a pair to a database of its own, so that nobody else is counted or heard. */
export async function openPostgresPair(
  server: PostgresServer,
  options: Omit<PostgresSessionStorageOptions, 'url' | 'pool'> = {},
): Promise<PostgresStoragePair> {
  const database = new URL(await server.createDatabase());
  // One brings the schema up to date while the other waits for that.
  return openPair(server, ({ port }) => {
    const url = new URL(database);
    url.port = String(port);
    const name = port === server.port ? 'witness' : 'proxied';
    return new PostgresSessionStorage({
      ...options,
      url: url.href,
      options: { application_name: name, ...options.options },
    });
  });
}
