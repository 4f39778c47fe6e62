import { StorageOutcomeUnknownError, StorageUnavailableError } from '../../../errors/storage.errors.js';
import { InFlightCalls } from '../../shared/in-flight-calls.js';
import type {
  PostgresStatement,
  PreparedStatement,
  ResultOf,
  Returns,
  StatementValue,
} from '../functions/postgres-statement.js';
import type { Row } from '../records/row-reader.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { endsConnection, isRetryable, toPostgresError } from './postgres-failure.js';
import { AS_TEXT, type PostgresClient, type PostgresPool } from './postgres-pool.js';
import { watchClient } from './watch-client.js';

/** A write that waited longer than this share of its deadline for a connection gets shorter timeouts on the server. */
const LATE_SHARE = 0.1;
/** A write is not started with less than this share of its deadline left: its outcome would be unknown. */
const LEAST_SHARE = 0.25;

/** The shares of the remaining time that a late statement, and a lock, may take on the server. */
const LATE_TIMEOUTS = [0.7, 0.6];
const SET_TIMEOUTS = `SELECT pg_catalog.set_config('statement_timeout'::pg_catalog.text, $1::pg_catalog.text, false),
  pg_catalog.set_config('lock_timeout'::pg_catalog.text, $2::pg_catalog.text, false)`;
const RESET_TIMEOUTS = `SELECT pg_catalog.set_config(name, reset_val, false) FROM pg_catalog.pg_settings
  WHERE name OPERATOR(pg_catalog.=) ANY ('{statement_timeout,lock_timeout}'::pg_catalog.text[])`;

/**
 * Runs statements, each with a deadline, and distinguishes three outcomes: applied, not applied, unknown. A statement is
 * sent again only if the server reported that it rolled it back.
 */
export class PostgresConnection {
  readonly #prepared = new Map<string, PreparedStatement>();
  readonly #inFlight = new InFlightCalls();

  constructor(
    readonly pool: PostgresPool,
    private readonly names: SchemaNames,
    private readonly deadlineMs: number,
  ) {}

  /** The deadline of a call that starts now, by `performance.now()`. */
  deadline(): number {
    return performance.now() + this.deadlineMs;
  }

  /** Runs a statement in one round trip and returns its rows. Calls of several round trips pass one deadline to each. */
  async run<Param extends string, R extends Returns>(
    statement: PostgresStatement<Param, R>,
    values: Readonly<Record<Param, StatementValue>>,
    endsAt = this.deadline(),
  ): Promise<ResultOf<R>[]> {
    this.#inFlight.begin();
    try {
      const rows = await this.#retry(statement, statement.pack(values), endsAt);
      return rows.map((row) => statement.parse(row));
    } finally {
      this.#inFlight.end();
    }
  }

  /** Resolves when no call is in flight. */
  async settled(): Promise<void> {
    await this.#inFlight.settled();
  }

  async #retry(statement: PostgresStatement, values: StatementValue[], endsAt: number): Promise<Row[]> {
    for (;;) {
      try {
        return await this.#runOnce(statement, values, endsAt);
      } catch (error) {
        if (!isRetryable(error) || performance.now() >= endsAt) {
          throw toPostgresError(error, { wasSent: true, isReadOnly: statement.isReadOnly });
        }
      }
    }
  }

  async #runOnce(statement: PostgresStatement, values: StatementValue[], endsAt: number): Promise<Row[]> {
    const startedAt = performance.now();
    const client = await this.#acquire(endsAt);
    const watched = watchClient(client);
    const { warnings } = watched;
    const { name, text } = this.#prepare(statement);
    const isLate = !statement.isReadOnly && performance.now() - startedAt > this.deadlineMs * LATE_SHARE;
    if (isLate && endsAt - performance.now() < this.deadlineMs * LEAST_SHARE) {
      client.release();
      throw noConnection();
    }
    let isSpent = true;
    try {
      if (isLate) await this.#shortenTimeouts(client, endsAt);
      const query = { name, text, values: values.map(toParameter), rowMode: 'array', types: AS_TEXT } as const;
      const { rows } = await inTime(client.query(query), endsAt);
      isSpent = false;
      if (watched.warnings > warnings && !statement.isReadOnly) throw new StorageOutcomeUnknownError();
      return rows as Row[];
    } catch (error) {
      isSpent &&= endsConnection(error);
      throw error;
    } finally {
      if (isLate && !isSpent) void this.#resetAndRelease(client);
      else client.release(isSpent);
    }
  }

  /**
   * Makes the server give up before the caller does. The connection's own timeouts are for statements that have their
   * whole deadline. Nothing has been sent yet, so a connection that fails here leaves no outcome unknown.
   */
  async #shortenTimeouts(client: PostgresClient, endsAt: number): Promise<void> {
    const leftMs = endsAt - performance.now();
    const values = LATE_TIMEOUTS.map((share) => String(Math.max(1, Math.floor(leftMs * share))));
    try {
      await inTime(client.query({ text: SET_TIMEOUTS, values, rowMode: 'array', types: AS_TEXT }), endsAt);
    } catch (error) {
      throw toPostgresError(error, { wasSent: false, isReadOnly: true });
    }
  }

  async #resetAndRelease(client: PostgresClient): Promise<void> {
    const reset = client.query({ text: RESET_TIMEOUTS, values: [], rowMode: 'array', types: AS_TEXT });
    const isReset = await inTime(reset, this.deadline()).then(
      () => true,
      () => false,
    );
    client.release(!isReset);
  }

  async #acquire(endsAt: number): Promise<PostgresClient> {
    const connecting = this.pool.connect();
    try {
      return await inTime(connecting, endsAt);
    } catch (error) {
      connecting.then(
        (client) => client.release(),
        () => {},
      );
      if (error instanceof DeadlineError || isPoolTimeout(error)) throw noConnection();
      throw toPostgresError(error, { wasSent: false, isReadOnly: true });
    }
  }

  #prepare(statement: PostgresStatement): PreparedStatement {
    const known = this.#prepared.get(statement.name);
    if (known) return known;
    const prepared = statement.prepare(this.names);
    this.#prepared.set(statement.name, prepared);
    return prepared;
  }
}

/** A promise did not settle before its deadline. */
export class DeadlineError extends Error {}

/**
 * Resolves with a promise's value, or rejects with a {@link DeadlineError}. A reply that arrived while this process was
 * busy still counts.
 */
export async function inTime<T>(promise: Promise<T>, endsAt: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new DeadlineError('The deadline has passed'));
    // Node reads pending replies between the two.
    const readFirst = () => setImmediate(() => setImmediate(giveUp));
    timer = setTimeout(readFirst, Math.max(0, endsAt - performance.now()));
  });
  try {
    return await Promise.race([promise, timeUp]);
  } catch (error) {
    // It may reject later, when nothing awaits it.
    promise.catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function noConnection(): StorageUnavailableError {
  return new StorageUnavailableError(
    'No connection to PostgreSQL became free, or could be opened, in time. Try again shortly; if the pool is too small ' +
      'for the load, raise its size.',
  );
}

/** `pg` reports only by its message that no connection of the pool was free. */
function isPoolTimeout(error: unknown): boolean {
  return error instanceof Error && /timeout exceeded|connection timeout/i.test(error.message);
}

/** Bytes in the form that `pg` requires. */
function toParameter(value: StatementValue): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}
