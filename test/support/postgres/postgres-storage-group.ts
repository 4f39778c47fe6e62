import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { StorageGroup } from '../storage/storage-group.js';
import type { TcpTarget } from '@distributed-session/test-servers/proxy/tcp-proxy-connection.js';

/** Several storages on PostgreSQL that share one database's tables. */
export class PostgresStorageGroup extends StorageGroup<PostgresSessionStorage> {
  private constructor(
    private readonly database: string,
    storages: readonly PostgresSessionStorage[],
  ) {
    super(storages);
  }

  /** Connects `count` storages to the database of a URL, at this address. */
  static async open(count: number, database: string, address: TcpTarget): Promise<PostgresStorageGroup> {
    const options = { url: urlAt(database, address), heartbeatIntervalMs: 200 };
    const storages = Array.from({ length: count }, () => new PostgresSessionStorage(options));
    const group = new PostgresStorageGroup(database, storages);
    await group.connect();
    return group;
  }

  /** Another storage, connected directly to this server. */
  async witness(server: TcpTarget): Promise<PostgresSessionStorage> {
    return this.join(new PostgresSessionStorage({ url: urlAt(this.database, server) }));
  }
}

function urlAt(database: string, { host, port }: TcpTarget): string {
  const url = new URL(database);
  url.host = `${host}:${port}`;
  return url.href;
}
