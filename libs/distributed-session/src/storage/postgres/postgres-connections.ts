import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { OptionsError } from '../../errors/options.error.js';
import { StorageUnavailableError } from '../../errors/storage.errors.js';
import { retryDelay } from '../shared/retry-delay.js';
import { ServerClock } from '../shared/server-clock.js';
import type { StorageHealth } from '../session-storage.operations.js';
import { SharedOpening } from '../shared/shared-opening.js';
import { watchClient } from './connection/careful-client.js';
import { checkServer, toStartError } from './connection/check-server.js';
import { dangersOf, openFeedClient, openPool } from './connection/open-pool.js';
import { PostgresConnection, TimeIsUpError, inTime } from './connection/postgres-connection.js';
import { reasonOf } from './connection/postgres-failure.js';
import type { PostgresPool } from './connection/postgres-pool.js';
import { PostgresChangeFeed } from './feed/postgres-change-feed.js';
import type { ResolvedPostgresOptions } from './postgres-session-storage.options.js';
import { type Row, RowReader } from './records/row-reader.js';
import type { SchemaNames } from './schema/schema-names.js';
import { checkHealthStatement } from './statements/check-health.statement.js';
import type { PostgresStatement, StatementValue } from './statements/postgres-statement.js';

/** What is open while the storage is. */
interface Opened {
  readonly connection: PostgresConnection;
  readonly stopReports: () => void;
}

/** Opens and closes what leads to PostgreSQL: the pool for statements, and the change feed. */
export class PostgresConnections {
  readonly #logger = new Logger('PostgresSessionStorage');
  readonly clock = new ServerClock();
  readonly feed: PostgresChangeFeed;
  readonly #opening = new SharedOpening<Opened>({
    open: async () => this.#open(),
    shut: async (opened) => this.#shut(opened),
  });

  constructor(
    private readonly options: ResolvedPostgresOptions,
    readonly names: SchemaNames,
  ) {
    this.feed = new PostgresChangeFeed(names, this.clock, options);
  }

  /** The connection. Throws where the storage is closed. */
  get connection(): PostgresConnection {
    const opened = this.#opening.current;
    if (!opened) throw new StorageUnavailableError('The PostgreSQL session storage is closed. Connect it first.');
    return opened.connection;
  }

  /** Runs a statement that announces changes: who subscribes when it is over does not hear of them. */
  async write<Param extends string>(
    statement: PostgresStatement<Param | 'origin'>,
    values: Readonly<Record<Exclude<Param, 'origin'>, StatementValue>>,
    endsAt?: number,
  ): Promise<Row[]> {
    const { connection } = this;
    try {
      return await this.feed.writes.run(async (origin) => {
        const all = { ...values, origin } as Record<Param | 'origin', StatementValue>;
        return connection.run(statement, all, endsAt);
      });
    } finally {
      // Also after a failure: it may have been applied.
      void this.feed.flush();
    }
  }

  /** As {@link write}, of a statement whose reply is one row. */
  async writeOne<Param extends string>(
    statement: PostgresStatement<Param | 'origin'>,
    values: Readonly<Record<Exclude<Param, 'origin'>, StatementValue>>,
    endsAt?: number,
  ): Promise<RowReader> {
    const [row = []] = await this.write(statement, values, endsAt);
    return new RowReader(row);
  }

  async connect(): Promise<void> {
    await this.#opening.connect();
  }

  async close(): Promise<void> {
    await this.#opening.close();
  }

  async ping(): Promise<StorageHealth> {
    const [row = []] = await this.connection.run(checkHealthStatement, {});
    const health = new RowReader(row);
    const [isStandby, isReadOnly, mayWrite] = [health.boolean(), health.boolean(), health.boolean()];
    if (mayWrite) return { writable: true, notes: [] };
    if (isStandby) return { writable: false, notes: ['PostgreSQL is a standby, which takes no writes.'] };
    if (isReadOnly) return { writable: false, notes: ['PostgreSQL has set transactions to read-only.'] };
    return { writable: false, notes: ['The user of PostgreSQL may not write to the tables of the sessions.'] };
  }

  async #open(): Promise<Opened> {
    const { options, names } = this;
    const pool = openPool(options);
    if (options.pool) this.#judge(options.pool);
    const stopReports = this.#reportErrors(pool);
    const opened = { connection: new PostgresConnection(pool, names, options.deadlineMs), stopReports };
    try {
      await this.#whenReady(pool);
      await this.feed.open(async () => openFeedClient(options));
      if (!this.feed.isOpen) {
        this.#logger.warn('The change feed does not work yet: changes of other processes are not heard until it does.');
      }
      return opened;
    } catch (error) {
      await this.#shut(opened);
      throw error;
    }
  }

  /** Waits for a server that is starting; rejects at once where waiting does not help. */
  async #whenReady(pool: PostgresPool): Promise<void> {
    const endsAt = performance.now() + this.options.connectDeadlineMs;
    let reason: Error | undefined;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#check(pool, endsAt);
        return;
      } catch (error) {
        const failure = toStartError(error);
        if (!(failure instanceof StorageUnavailableError)) throw failure;
        // That the time was up is no reason.
        if (!(error instanceof TimeIsUpError)) reason = failure;
        const delay = retryDelay(attempt);
        if (performance.now() + delay > endsAt) throw reason ?? failure;
        await setTimeout(delay);
      }
    }
  }

  async #check(pool: PostgresPool, endsAt: number): Promise<void> {
    const connecting = pool.connect();
    const client = await inTime(connecting, endsAt).catch((error: unknown) => {
      connecting.then(
        (late) => late.release(true),
        () => {},
      );
      throw error;
    });
    let isSpent = true;
    try {
      await inTime(checkServer(client, this.names, this.options, this.#logger), endsAt);
      isSpent = false;
    } finally {
      client.release(isSpent);
    }
  }

  #judge(pool: PostgresPool): void {
    const { max } = (pool.options ?? {}) as { max?: unknown };
    if (max === 1) {
      throw new OptionsError('The options of PostgresSessionStorage are not usable:', [
        'pool has one connection only, and the change feed needs one for itself: set its max to 2 or more',
      ]);
    }
    for (const danger of dangersOf(pool)) this.#logger.warn(`The pool given to PostgresSessionStorage: ${danger}`);
  }

  /** An idle connection that fails is replaced by the pool; an error that nobody listens to would end the process. */
  #reportErrors(pool: PostgresPool): () => void {
    const onError = (error: unknown) => {
      this.#logger.warn(
        `A connection to PostgreSQL is lost${reasonOf(error)}. The pool opens another when it is needed.`,
      );
    };
    pool.on('error', onError);
    // One that the server ends right after its greeting fails before whoever asked for it can listen to it.
    pool.on('connect', watchClient);
    return () => {
      pool.off('error', onError);
      pool.off('connect', watchClient);
    };
  }

  async #shut({ connection, stopReports }: Opened): Promise<void> {
    await this.feed.close();
    await connection.settled();
    if (this.options.pool) stopReports();
    // Its connections may fail while they end.
    else await connection.pool.end();
  }
}
