import { Logger } from '@nestjs/common';
import type { PostgresConnection } from '../connection/postgres-connection.js';
import { PostgresStatement } from '../functions/postgres-statement.js';
import { LATEST_VERSION } from './migrations/migrations.js';
import { ledgerRows, parseSchemaState } from './schema-state.js';

const readVersion = new PostgresStatement({
  name: 'read-schema-version',
  isReadOnly: true,
  params: [],
  returns: 'integer',
  text: 'SELECT coalesce(pg_catalog.max(version), 0) FROM {session_migration}',
});

const readLedgers = new PostgresStatement({
  name: 'read-ledgers',
  isReadOnly: true,
  params: [],
  returns: { migrations: 'text', functions: 'text' },
  text: `SELECT (${ledgerRows('session_migration')})::pg_catalog.text, (${ledgerRows('session_function')})::pg_catalog.text`,
});

/**
 * Notices, once per interval, that a later release has migrated the schema under this running process. Unless this release
 * works on the new schema, it must not be used any more: functions may mean something else.
 */
export class SchemaWatch {
  readonly #logger = new Logger('PostgresSessionStorage');
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;
  #version = LATEST_VERSION;
  #error: string | undefined;

  constructor(
    private readonly connection: PostgresConnection,
    private readonly intervalMs: number,
  ) {}

  /** Why this process must not use the store, or `undefined`. */
  get error(): string | undefined {
    return this.#error;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#checking ??= this.#check().finally(() => {
        this.#checking = undefined;
      });
    }, this.intervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  async #check(): Promise<void> {
    try {
      const [version] = await this.connection.run(readVersion, {});
      if (version === this.#version || version === undefined) return;
      const [ledgers] = await this.connection.run(readLedgers, {});
      const { error } = parseSchemaState(ledgers?.migrations, ledgers?.functions);
      this.#report(version, error);
      [this.#version, this.#error] = [version, error];
    } catch {
      // The statements of callers report the same failure.
    }
  }

  #report(version: number, error: string | undefined): void {
    if (error !== undefined) this.#logger.error(`This PostgreSQL server cannot be used any more: ${error}.`);
    else if (version > LATEST_VERSION) {
      this.#logger.warn(`A later release has migrated the schema of the session storage to version ${version}.`);
    }
  }
}
