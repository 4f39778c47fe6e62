import { Logger } from '@nestjs/common';
import { OptionsError } from '../../errors/options.error.js';
import { StorageUnavailableError } from '../../errors/storage.errors.js';
import { UNOPENED_FEED } from '../shared/feed-listeners.js';
import { ServerClock } from '../shared/server-clock.js';
import type { StorageHealth } from '../session-storage.operations.js';
import { SharedOpening } from '../shared/shared-opening.js';
import { closedStorage } from '../shared/storage-failure.js';
import { unsuitable } from './connection/check-server.js';
import { openFeed } from './connection/open-feed.js';
import { openPool, poolWarnings } from './connection/open-pool.js';
import { PostgresConnection } from './connection/postgres-connection.js';
import { reasonOf } from './connection/postgres-failure.js';
import type { PostgresPool } from './connection/postgres-pool.js';
import { sessionSettings } from './connection/session-settings.js';
import type { StatementStyle } from './connection/statement-style.js';
import { waitForServer } from './connection/wait-for-server.js';
import { watchClient } from './connection/watch-client.js';
import { PostgresChangeFeed } from './feed/postgres-change-feed.js';
import type { PostgresStatement, ResultOf, Returns, StatementValue } from './functions/postgres-statement.js';
import type { ResolvedPostgresOptions } from './postgres-session-storage.options.js';
import type { SchemaNames } from './schema/schema-names.js';
import { SchemaWatch } from './schema/schema-watch.js';
import { checkHealth } from './statements.js';

const SHARED_LATE =
  'A pooler in front of PostgreSQL shares server sessions between clients. From now on, statements are sent without names. ' +
  "Set pooling to 'transaction', and feedUrl to an address past the pooler.";

/** The connections that are open while the storage is connected. */
interface Opened {
  readonly connection: PostgresConnection;
  readonly schema: SchemaWatch;
  readonly stopReports: () => void;
}

/** Opens and closes the connections to PostgreSQL: the pool for statements, and the change feed's own connection. */
export class PostgresConnections {
  readonly #logger = new Logger('PostgresSessionStorage');
  readonly clock = new ServerClock();
  readonly feed: PostgresChangeFeed;
  readonly #opening = new SharedOpening<Opened>({
    open: async () => this.#open(),
    shut: async (opened) => this.#shut(opened.connection.pool, opened.stopReports, opened),
  });

  constructor(
    private readonly options: ResolvedPostgresOptions,
    readonly names: SchemaNames,
  ) {
    this.feed = new PostgresChangeFeed(names, this.clock, options);
  }

  /** The connection for statements. Throws when the storage is closed, or its schema became that of a later release. */
  get connection(): PostgresConnection {
    const opened = this.#opening.current;
    if (!opened) throw closedStorage('PostgreSQL');
    const { error } = opened.schema;
    if (error !== undefined) throw new StorageUnavailableError(`This PostgreSQL server cannot be used: ${error}.`);
    return opened.connection;
  }

  /** Runs a statement that publishes changes. A listener that subscribes after it has returned does not receive them. */
  async write<Param extends string, R extends Returns>(
    statement: PostgresStatement<Param | 'origin', R>,
    values: Readonly<Record<Exclude<Param, 'origin'>, StatementValue>>,
    endsAt?: number,
  ): Promise<ResultOf<R>[]> {
    const { connection } = this;
    try {
      return await this.feed.writes.run(async (origin) => {
        const all = { ...values, origin } as Record<Param | 'origin', StatementValue>;
        return connection.run(statement, all, endsAt);
      });
    } finally {
      // Also after a failure: the write may have been applied.
      void this.feed.flush();
    }
  }

  /** Like {@link write}, for a statement that returns one row. */
  async writeOne<Param extends string, R extends Returns>(
    statement: PostgresStatement<Param | 'origin', R>,
    values: Readonly<Record<Exclude<Param, 'origin'>, StatementValue>>,
    endsAt?: number,
  ): Promise<ResultOf<R>> {
    const [result] = await this.write(statement, values, endsAt);
    return result!;
  }

  async connect(): Promise<void> {
    await this.#opening.connect();
  }

  async close(): Promise<void> {
    await this.#opening.close();
  }

  async ping(): Promise<StorageHealth> {
    const [health] = await this.connection.run(checkHealth, {});
    const { isStandby, isReadOnly, mayWrite } = health!;
    const { reason } = this.feed.problem;
    const feedNotes = reason === undefined ? [] : [reason];
    if (mayWrite) return { writable: true, notes: feedNotes };
    if (isStandby)
      return { writable: false, notes: ['PostgreSQL is a standby, which accepts no writes.', ...feedNotes] };
    if (isReadOnly) return { writable: false, notes: ['PostgreSQL makes transactions read-only.', ...feedNotes] };
    return { writable: false, notes: ['The PostgreSQL user may not write to the session tables.', ...feedNotes] };
  }

  async #open(): Promise<Opened> {
    const { options, names } = this;
    const pool = openPool(options);
    if (options.pool) this.#checkPool(options.pool);
    const stopReports = this.#reportErrors(pool);
    try {
      const style = await waitForServer({ pool, names, options, logger: this.#logger });
      const connection = this.#connectionTo(pool, style);
      await this.feed.open(async () => openFeed(pool, names, options, connection.style));
      const { isOpen, rejection, problem } = this.feed;
      if (rejection !== undefined) throw unsuitable([`its change feed does not work: ${rejection}`]);
      if (!isOpen && problem.reason === undefined) this.#logger.warn(UNOPENED_FEED);
      const schema = new SchemaWatch(connection, options.heartbeatIntervalMs);
      schema.start();
      return { connection, schema, stopReports };
    } catch (error) {
      await this.#shut(pool, stopReports);
      throw error;
    }
  }

  #connectionTo(pool: PostgresPool, style: StatementStyle): PostgresConnection {
    const { deadlineMs } = this.options;
    const session = this.options.pool ? undefined : sessionSettings(this.options);
    const onShared = () => this.#logger.warn(SHARED_LATE);
    return new PostgresConnection(pool, this.names, { style, session, deadlineMs, onShared });
  }

  #checkPool(pool: PostgresPool): void {
    const { max } = (pool.options ?? {}) as { max?: unknown };
    if (max === 1 && this.options.feedUrl === undefined) {
      throw new OptionsError('Invalid options for PostgresSessionStorage:', [
        'pool has only one connection, but the change feed needs its own: set its max to 2 or more, or set feedUrl',
      ]);
    }
    for (const warning of poolWarnings(pool))
      this.#logger.warn(`The pool passed to PostgresSessionStorage has an unsafe setting: ${warning}`);
  }

  /** The pool replaces an idle connection that fails. An error event without a listener would end the process. */
  #reportErrors(pool: PostgresPool): () => void {
    const onError = (error: unknown) => {
      this.#logger.warn(
        `A connection to PostgreSQL was lost${reasonOf(error)}. The pool opens another when it is needed.`,
      );
    };
    pool.on('error', onError);
    // If the server closes a new connection at once, the error fires before the caller can attach a listener.
    pool.on('connect', watchClient);
    return () => {
      pool.off('error', onError);
      pool.off('connect', watchClient);
    };
  }

  async #shut(pool: PostgresPool, stopReports: () => void, opened?: Opened): Promise<void> {
    await opened?.schema.stop();
    await this.feed.close();
    await opened?.connection.settled();
    if (this.options.pool) stopReports();
    // Its connections may fail while they close, so the listeners remain.
    else await pool.end();
  }
}
