import { Pgbouncer } from '@distributed-session/test-servers/pgbouncer/pgbouncer.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { SHARED_POOL } from './pooled-fixture.js';

/** A server behind a PgBouncer in transaction mode. */
export class PooledPostgres {
  private constructor(
    private readonly server: PostgresServer,
    private readonly pooler: Pgbouncer,
  ) {}

  static async start(): Promise<PooledPostgres> {
    const server = await PostgresServer.start();
    return new PooledPostgres(
      server,
      await Pgbouncer.start(server, { settings: { ...SHARED_POOL, server_login_retry: 1 } }),
    );
  }

  /** Through the pooler. */
  get url(): string {
    return this.pooler.urlOf(this.server.url);
  }

  /** Past the pooler, without what it has in common with the other URL. */
  get feedUrl(): string {
    return `postgres://${new URL(this.server.url).host}`;
  }

  kill(): Promise<void> {
    return this.server.kill();
  }

  restart(): Promise<void> {
    return this.server.restart();
  }

  async stop(): Promise<void> {
    await this.pooler.stop();
    await this.server.stop();
  }
}
