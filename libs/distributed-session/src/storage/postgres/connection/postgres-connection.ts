import { StorageOutcomeUnknownError, StorageUnavailableError } from '../../../errors/storage.errors.js';
import { InFlightCalls } from '../../shared/in-flight-calls.js';
import type { Row } from '../records/row-reader.js';
import type { SchemaNames } from '../schema/schema-names.js';
import type { PostgresStatement, PreparedStatement, StatementValue } from '../statements/postgres-statement.js';
import { watchClient } from './careful-client.js';
import { liftLimit, limitTime } from './time-limit.js';
import { AS_TEXT, type PostgresClient, type PostgresPool } from './postgres-pool.js';
import { endsConnection, isRetryable, toStorageError } from './postgres-failure.js';

/** A write that waited for its connection longer than for this share of its deadline has less time on the server. */
const LATE_SHARE = 0.1;
/** With less than this share of it left, it is not begun: nobody could tell how it ended. */
const LEAST_SHARE = 0.25;

/**
 * Runs statements, each with a deadline, and tells the three outcomes apart: applied, not applied, unknown. A statement
 * that was sent is never sent again, unless the server said that it had undone it.
 */
export class PostgresConnection {
  readonly #prepared = new Map<string, PreparedStatement>();
  readonly #underWay = new InFlightCalls();

  constructor(
    readonly pool: PostgresPool,
    private readonly names: SchemaNames,
    private readonly deadlineMs: number,
  ) {}

  /** When the time of a call that begins now is up, by the clock of the process. */
  deadline(): number {
    return performance.now() + this.deadlineMs;
  }

  /** Runs a statement in one round trip; its rows, as text. Calls that take several rounds pass their deadline on. */
  async run<Param extends string>(
    statement: PostgresStatement<Param>,
    values: Readonly<Record<Param, StatementValue>>,
    endsAt = this.deadline(),
  ): Promise<Row[]> {
    this.#underWay.begin();
    try {
      for (;;) {
        try {
          return await this.#runOnce(statement, statement.pack(values), endsAt);
        } catch (error) {
          if (!isRetryable(error) || performance.now() >= endsAt) {
            throw toStorageError(error, { wasSent: true, isReadOnly: statement.isReadOnly });
          }
        }
      }
    } finally {
      this.#underWay.end();
    }
  }

  /** Resolves when what was under way is settled. */
  async settled(): Promise<void> {
    await this.#underWay.settled();
  }

  async #runOnce(statement: PostgresStatement, values: StatementValue[], endsAt: number): Promise<Row[]> {
    const askedAt = performance.now();
    const client = await this.#acquire(endsAt);
    const watched = watchClient(client);
    const { warnings } = watched;
    const { name, text } = this.#prepare(statement);
    const isLate = !statement.isReadOnly && performance.now() - askedAt > this.deadlineMs * LATE_SHARE;
    if (isLate && endsAt - performance.now() < this.deadlineMs * LEAST_SHARE) {
      client.release();
      throw noConnection();
    }
    let isSpent = true;
    try {
      if (isLate) await this.#limit(client, endsAt);
      const query = { name, text, values: values.map(toParameter), rowMode: 'array', types: AS_TEXT } as const;
      const { rows } = await inTime(client.query(query), endsAt);
      isSpent = false;
      if (watched.warnings > warnings && !statement.isReadOnly) throw new StorageOutcomeUnknownError();
      return rows as Row[];
    } catch (error) {
      isSpent &&= endsConnection(error);
      throw error;
    } finally {
      if (isLate && !isSpent) void this.#liftAndRelease(client);
      else client.release(isSpent);
    }
  }

  /** Nothing has been sent yet: a connection that does not answer now is as good as none. */
  async #limit(client: PostgresClient, endsAt: number): Promise<void> {
    try {
      await inTime(limitTime(client, endsAt - performance.now()), endsAt);
    } catch (error) {
      throw toStorageError(error, { wasSent: false, isReadOnly: true });
    }
  }

  async #liftAndRelease(client: PostgresClient): Promise<void> {
    const isLifted = await inTime(liftLimit(client), this.deadline()).then(
      () => true,
      () => false,
    );
    client.release(!isLifted);
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
      if (error instanceof TimeIsUpError || isPoolTimeout(error)) {
        throw noConnection();
      }
      throw toStorageError(error, { wasSent: false, isReadOnly: true });
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

/** What was waited for did not come in time. */
export class TimeIsUpError extends Error {}

/** What a promise settles to, or a {@link TimeIsUpError}. What has arrived while this process was busy still counts. */
export async function inTime<T>(promise: Promise<T>, endsAt: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new TimeIsUpError('The time is up'));
    // Replies that wait to be read are read between the two.
    const readFirst = () => setImmediate(() => setImmediate(giveUp));
    timer = setTimeout(readFirst, Math.max(0, endsAt - performance.now()));
  });
  try {
    return await Promise.race([promise, timeUp]);
  } catch (error) {
    // It may fail later, when nobody waits for it any more.
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

/** A pool tells by its message alone that none of its connections was free. */
function isPoolTimeout(error: unknown): boolean {
  return error instanceof Error && /timeout exceeded|connection timeout/i.test(error.message);
}

/** Bytes as `pg` takes them. */
function toParameter(value: StatementValue): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}
