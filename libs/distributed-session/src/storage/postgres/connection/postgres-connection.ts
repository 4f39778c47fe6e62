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
import { endsConnection, isRetryable, isStatementLost, toPostgresError } from './postgres-failure.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { sendStatement, toParameter } from './send-statement.js';
import { type SessionSettings, applySettings } from './session-settings.js';
import { SHARED, type StatementLimits, type StatementStyle, limitsOf } from './statement-style.js';
import { watchClient } from './watch-client.js';

/** A write that waited longer than this share of its deadline for a connection gets shorter timeouts on the server. */
const LATE_SHARE = 0.1;
/** A write is not started with less than this share of its deadline left: its outcome would be unknown. */
const LEAST_SHARE = 0.25;

/** The shares of the remaining time that a late statement, and a lock, may take on the server. */
const LATE_SHARES = [0.7, 0.6] as const;

/** How a pool's connections are used, and what is set in their server sessions. */
export interface ConnectionSettings {
  readonly style: StatementStyle;
  /** Absent for an application's own pool, whose server sessions stay as they are. */
  readonly session: SessionSettings | undefined;
  readonly deadlineMs: number;
  /** Called once, when a pooler turns out to share server sessions. */
  readonly onShared: () => void;
}

/**
 * Runs statements, each with a deadline, and distinguishes three outcomes: applied, not applied, unknown. A statement is
 * sent again only if the server reported that it rolled it back.
 */
export class PostgresConnection {
  readonly #prepared = new Map<string, PreparedStatement>();
  readonly #inFlight = new InFlightCalls();
  #style: StatementStyle;

  constructor(
    readonly pool: PostgresPool,
    private readonly names: SchemaNames,
    private readonly settings: ConnectionSettings,
  ) {
    this.#style = settings.style;
  }

  /** How statements are sent now. */
  get style(): StatementStyle {
    return this.#style;
  }

  /** The deadline of a call that starts now, by `performance.now()`. */
  deadline(): number {
    return performance.now() + this.settings.deadlineMs;
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
        const isRepeatable = isRetryable(error) || this.#isLost(error);
        if (!isRepeatable || performance.now() >= endsAt) {
          throw toPostgresError(error, { wasSent: true, isReadOnly: statement.isReadOnly });
        }
      }
    }
  }

  async #runOnce(statement: PostgresStatement, values: StatementValue[], endsAt: number): Promise<Row[]> {
    const startedAt = performance.now();
    const client = await this.#acquire(endsAt);
    const watched = watchClient(client);
    const { session } = this.settings;
    if (session && !watched.isSet && this.#style.limits === 'session') await this.#apply(session, client, endsAt);
    const { warnings } = watched;
    const { name, text } = this.#prepare(statement);
    const { deadlineMs } = this.settings;
    const isLate = !statement.isReadOnly && performance.now() - startedAt > deadlineMs * LATE_SHARE;
    if (isLate && endsAt - performance.now() < deadlineMs * LEAST_SHARE) {
      client.release();
      throw noConnection();
    }
    let isSpent = true;
    try {
      const parameters = values.map(toParameter);
      const call = this.#style.isNamed ? { name, text, values: parameters } : { text, values: parameters };
      const rows = await inTime(sendStatement(client, call, this.#limitsOf(statement, isLate, endsAt)), endsAt);
      isSpent = false;
      if (watched.warnings > warnings && !statement.isReadOnly) throw new StorageOutcomeUnknownError();
      return rows;
    } catch (error) {
      isSpent &&= endsConnection(error);
      throw error;
    } finally {
      client.release(isSpent);
    }
  }

  /** Nothing has been sent yet, so a connection that fails here leaves no outcome unknown. */
  async #apply(session: SessionSettings, client: PostgresClient, endsAt: number): Promise<void> {
    try {
      await inTime(applySettings(client, session), endsAt);
    } catch (error) {
      client.release(true);
      if (isRetryable(error)) throw error;
      if (error instanceof DeadlineError) throw noConnection();
      throw toPostgresError(error, { wasSent: false, isReadOnly: true });
    }
  }

  /**
   * The timeouts that make the server give up before the caller does, where those of the server session do not: they are
   * for statements that have their whole deadline. A plain read waits for no lock.
   */
  #limitsOf(statement: PostgresStatement, isLate: boolean, endsAt: number): StatementLimits | undefined {
    const { limits } = this.#style;
    const isLimited = limits === 'transaction' ? statement.takesLocks : limits === 'session' && isLate;
    if (!isLimited) return undefined;
    const leftMs = endsAt - performance.now();
    return isLate ? limitsOf(leftMs, LATE_SHARES) : limitsOf(leftMs);
  }

  /** Returns whether a statement was not run because a pooler shares server sessions: from now on, none is named. */
  #isLost(error: unknown): boolean {
    if (!isStatementLost(error) || this.settings.style.limits === 'none') return false;
    if (this.#style !== SHARED) this.settings.onShared();
    this.#style = SHARED;
    return true;
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
export function isPoolTimeout(error: unknown): boolean {
  return error instanceof Error && /timeout exceeded|connection timeout/i.test(error.message);
}
