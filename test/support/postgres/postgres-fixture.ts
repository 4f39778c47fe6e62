import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import type { CreateStorageFixture } from 'nestjs-distributed-session/testing';

export interface PostgresTarget {
  /** Runs one statement as the owner of the tables. */
  readonly query: (text: string) => Promise<unknown>;
  /** Everything in all tables, if that can be told. */
  readonly dump?: () => Promise<string>;
  /** Where the storage finds its tables. They are there already. */
  readonly options: PostgresSessionStorageOptions;
}

/** Every table that holds something of a storage, with the default names; secrets go with their services. */
const TABLES = ['distributed_session', 'distributed_session_change', 'distributed_service'];

/**
 * A storage on a server that is already running, whose tables are emptied after each use. Ten thousand calls at once, as
 * one case of the suite makes, may take a busy machine longer than the default deadline.
 */
export function postgresFixture(target: () => PostgresTarget): CreateStorageFixture {
  return () => {
    const { options, query, dump } = target();
    const shared = { deadlineMs: 10_000, ...options };
    const others: PostgresSessionStorage[] = [];
    return {
      storage: new PostgresSessionStorage(shared),
      another: async () => {
        const other = new PostgresSessionStorage(shared);
        others.push(other);
        await other.connect();
        return other;
      },
      ...(dump && { dump }),
      dispose: async () => {
        for (const other of others) await other.close();
        // Faster than TRUNCATE, which makes new files.
        for (const table of TABLES) await query(`DELETE FROM ${table}`);
        await query('SELECT distributed_recount_sessions()');
      },
    };
  };
}
