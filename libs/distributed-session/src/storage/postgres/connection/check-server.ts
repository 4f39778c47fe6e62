import type { Logger } from '@nestjs/common';
import { OptionsError } from '../../../errors/options.error.js';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import { migrate } from '../schema/migrate.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { LATEST_VERSION, firstRow, schemaVersion } from '../schema/schema-state.js';
import { watchClient } from './careful-client.js';
import { sqlStateOf, toStorageError } from './postgres-failure.js';
import type { PostgresClient } from './postgres-pool.js';

/** What is granted and supported since 14: `hashtextextended`, stored as it is today; older ones are out of support. */
const MIN_VERSION = 14;

/** What waiting does not mend, by SQLSTATE: the way out. */
const FATAL: Readonly<Record<string, string>> = {
  '28P01': 'it refuses the user or the password: check both',
  '28000': 'it refuses the user: check the name, and pg_hba.conf on the server',
  '3D000': 'it does not have this database: create it, or name another one',
  '42501': 'its user lacks a right: see docs/postgres-grants, or let the owner of the schema run the migrations',
  '25006': 'it takes no writes, being a standby or read-only: give the address of the primary',
};

/** What `pg` itself says of a server without TLS. */
const NO_TLS = 'The server does not support SSL connections';

/**
 * Checks, once at start, that the server can keep sessions, brings its schema up to date if the options say so, and
 * warns of a user who may only read. Throws {@link OptionsError} with every fault and its way out.
 */
export async function checkServer(
  client: PostgresClient,
  names: SchemaNames,
  options: ResolvedPostgresOptions,
  logger: Logger,
): Promise<void> {
  watchClient(client);
  const faults = await serverFaults(client);
  if (faults.length > 0) throw unusable(faults);
  await bringUpToDate(client, names, options, logger);
  const rights = `SELECT has_table_privilege($1, 'SELECT') AND has_schema_privilege($2, 'USAGE')`;
  const [mayRead] = await firstRow(client, rights, [names.session, options.schema]);
  if (mayRead !== 't') throw unusable([FATAL['42501']!]);
  const [mayWrite] = await firstRow(client, `SELECT ${names.of('may_write')}()`);
  if (mayWrite !== 't') {
    logger.warn('The user of PostgreSQL may only read: sessions can be looked at, and not created or changed.');
  }
}

async function serverFaults(client: PostgresClient): Promise<string[]> {
  const settings = ['server_version', 'server_encoding', 'default_transaction_isolation'];
  const facts = settings.map((name) => `current_setting('${name}')`).join(', ');
  const [version, encoding, isolation, isStandby] = await firstRow(client, `SELECT ${facts}, pg_is_in_recovery()`);
  const faults: string[] = [];
  if (Number.parseInt(version ?? '', 10) < MIN_VERSION) {
    faults.push(`it is PostgreSQL ${version}: version ${MIN_VERSION} or later is needed`);
  }
  if (encoding !== 'UTF8') faults.push(`its encoding is ${encoding}: create the database with ENCODING 'UTF8'`);
  // Functions wait for a lock, and then have to see what its holder has committed.
  if (isolation !== 'read committed') {
    faults.push(
      `its default_transaction_isolation is ${isolation}: ALTER ROLE … SET default_transaction_isolation = 'read committed'`,
    );
  }
  if (isStandby === 't') faults.push(FATAL['25006']!);
  return faults;
}

async function bringUpToDate(
  client: PostgresClient,
  names: SchemaNames,
  { migrate: mode, schema, connectDeadlineMs }: ResolvedPostgresOptions,
  logger: Logger,
): Promise<void> {
  const version = await schemaVersion(client, names);
  if (version > LATEST_VERSION) {
    throw unusable([
      `its schema has version ${version}, of a later release, and this one knows version ${LATEST_VERSION}: use that release`,
    ]);
  }
  if (version === LATEST_VERSION) return;
  if (mode === 'check') {
    throw unusable([
      `its schema has version ${version}, and version ${LATEST_VERSION} is needed: run what postgresMigrationSql() ` +
        `prints, or set migrate to 'auto'`,
    ]);
  }
  await migrate(client, { names, schema, timeoutMs: connectDeadlineMs });
  logger.log(`The schema of the session storage is at version ${LATEST_VERSION} now.`);
}

/** The error of this library for a failure at start; what waiting does not mend names its way out. */
export function toStartError(error: unknown): Error {
  const state = sqlStateOf(error) ?? '';
  const isWithoutTls = error instanceof Error && error.message === NO_TLS;
  const fatal = isWithoutTls ? 'it speaks no TLS: set its ssl to on, or leave ssl and sslmode out here' : FATAL[state];
  return fatal ? unusable([fatal]) : toStorageError(error, { wasSent: false, isReadOnly: true });
}

function unusable(faults: readonly string[]): OptionsError {
  return new OptionsError('This PostgreSQL cannot keep the sessions:', faults);
}
