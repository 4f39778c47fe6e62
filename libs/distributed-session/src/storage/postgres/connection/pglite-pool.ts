import { EventEmitter } from 'node:events';
import type { PostgresClient, PostgresPool, PostgresQuery } from './postgres-pool.js';

/** A database of `@electric-sql/pglite`, as far as this library uses it: a `PGlite` is one. */
export interface PgliteDatabase {
  query(
    text: string,
    values?: unknown[],
    options?: { rowMode?: 'array'; parsers?: Record<number, (value: string) => unknown> },
  ): Promise<{ rows: unknown[] }>;
  listen(channel: string, callback: (payload: string) => void): Promise<() => Promise<void>>;
}

/** Leaves the values of all result columns, by type (`pg_type.oid`), as text, as from a server. */
const TEXT_PARSERS = Object.fromEntries(
  [16, 17, 20, 21, 23, 25, 114, 1_700, 2_278, 2_950].map((type) => [type, (value: string) => value]),
);
const LISTEN = /^LISTEN (\w+)$/;

/**
 * Returns a pool on a PostgreSQL within this process: for development and tests without a server, and for applications
 * with one process. It is one database session: the statements of all connections run one after the other, and no other
 * process can use it. The caller closes the database.
 *
 * @example
 * const storage = new PostgresSessionStorage({ pool: pglitePool(new PGlite('./sessions')) });
 */
export function pglitePool(database: PgliteDatabase): PostgresPool {
  const turns = new Turns();
  return Object.assign(new EventEmitter(), {
    connect: async () => new PgliteClient(database, turns),
    end: async () => {},
  });
}

/** Gives the session to one connection at a time: while one has a transaction open, the others wait. */
class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn, with a function that ends the turn. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let end!: () => void;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }
}

class PgliteClient extends EventEmitter implements PostgresClient {
  readonly #unlisten: (() => Promise<void>)[] = [];
  #endTurn: (() => void) | undefined;
  #isInTransaction = false;

  constructor(
    private readonly database: PgliteDatabase,
    private readonly turns: Turns,
  ) {
    super();
  }

  async query({ text, values }: PostgresQuery): Promise<{ rows: unknown[] }> {
    this.#endTurn ??= await this.turns.take();
    if (text.startsWith('BEGIN')) this.#isInTransaction = true;
    try {
      return await this.#run(text, values);
    } finally {
      if (text === 'COMMIT' || text === 'ROLLBACK') this.#isInTransaction = false;
      if (!this.#isInTransaction) this.#yield();
    }
  }

  release(): void {
    this.#yield();
    for (const unlisten of this.#unlisten.splice(0)) void unlisten();
  }

  async #run(text: string, values: unknown[] | undefined): Promise<{ rows: unknown[] }> {
    const [, channel] = LISTEN.exec(text) ?? [];
    if (channel === undefined) return this.database.query(text, values, { rowMode: 'array', parsers: TEXT_PARSERS });
    const notify = (payload: string) => this.emit('notification', { channel, payload });
    this.#unlisten.push(await this.database.listen(channel, notify));
    return { rows: [] };
  }

  #yield(): void {
    this.#endTurn?.();
    this.#endTurn = undefined;
  }
}
