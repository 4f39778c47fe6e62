import type { Logger } from '@nestjs/common';
import { OptionsError } from '../../../errors/options.error.js';
import { readOnlyUser } from '../../shared/storage-failure.js';
import type { ResolvedPostgresOptions } from '../postgres-session-storage.options.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { LATEST_VERSION } from '../schema/migrations/migrations.js';
import { firstRow, migrate, readSchemaState } from '../schema/schema-state.js';
import { sqlStateOf, toPostgresError } from './postgres-failure.js';
import { poolerRejection } from './pooler-rejection.js';
import { type FoundProduct, productNote, productOf, refusalOfProduct, reportProduct } from './postgres-product.js';
import type { PostgresClient } from './postgres-pool.js';
import { watchClient } from './watch-client.js';

/** The oldest version with `hashtextextended` as it is today that still receives updates. */
const MIN_VERSION = 14;

/** Rejected connections by SQLSTATE, each with its cause and solution. None is retried: all persist until someone acts. */
const REJECTIONS: Readonly<Record<string, string>> = {
  '28P01': 'the user or the password is wrong: correct it in the url or the options',
  '28000': 'the server rejects the user: check the name, and pg_hba.conf on the server',
  '3D000': 'the server does not have this database: create it, or set another one',
};

/** Unmet requirements by SQLSTATE, each with its solution. None is retried either. */
const UNSUITABLE: Readonly<Record<string, string>> = {
  '42501': 'its user lacks a privilege: see docs/postgres-grants, or let the owner of the schema run the migrations',
  '25006': 'it accepts no writes, because it is a standby or read-only: set the address of the primary',
};

/** The message of `pg` about a server without TLS. */
const NO_TLS = 'The server does not support SSL connections';
const NO_TLS_REJECTION = 'the server does not support TLS: set its ssl to on, or remove ssl and sslmode here';

/**
 * Checks, once at start, that the server meets the requirements, brings its schema up to date if the options allow it,
 * and warns about a read-only user.
 *
 * @throws {OptionsError} with every error at once, each with its way out.
 */
export async function checkPostgresServer(
  client: PostgresClient,
  names: SchemaNames,
  options: ResolvedPostgresOptions,
  logger: Logger,
): Promise<CheckedServer> {
  watchClient(client);
  const product = await findProduct(client, logger);
  const errors = await serverErrors(client, product);
  if (errors.length > 0) throw unsuitable(errors);
  await bringUpToDate(client, names, options, logger).catch((error: unknown) => {
    throw product ? rejectedByProduct(error, product) : error;
  });
  const rights =
    `SELECT pg_catalog.has_any_column_privilege($1::pg_catalog.text, 'SELECT'::pg_catalog.text) ` +
    `AND pg_catalog.has_schema_privilege($2::pg_catalog.text, 'USAGE'::pg_catalog.text)`;
  const [mayRead] = await firstRow(client, rights, [names.of('session'), options.schema]);
  if (mayRead !== 't') throw unsuitable([UNSUITABLE['42501']!]);
  const [mayWrite] = await firstRow(client, names.sql('SELECT {may_write}()'));
  if (mayWrite !== 't') {
    logger.warn(readOnlyUser('PostgreSQL'));
  }
  return { product, mayWrite: mayWrite === 't' };
}

/** What the checks found out about a server that may be used. */
export interface CheckedServer {
  readonly product: FoundProduct | undefined;
  readonly mayWrite: boolean;
}

/** Reports a product that is not PostgreSQL. Throws if it is known not to work. */
async function findProduct(client: PostgresClient, logger: Logger): Promise<FoundProduct | undefined> {
  const [version] = await firstRow(client, 'SELECT pg_catalog.version()');
  const product = productOf(version ?? '');
  if (!product) return undefined;
  const refusal = refusalOfProduct(product);
  if (refusal !== undefined) throw unsuitable([refusal]);
  reportProduct(product, logger);
  return product;
}

/** Another product rejects the migrations for good; PostgreSQL may do so for the moment. */
function rejectedByProduct(error: unknown, product: FoundProduct): unknown {
  const state = sqlStateOf(error);
  const isLasting = state !== undefined && /^(?:0A|22|42|P0|XX)/.test(state) && state !== '42501';
  return isLasting
    ? unsuitable([
        `it rejects the schema of the storage with SQLSTATE ${state}${productNote(product)}: use PostgreSQL 14 or later`,
      ])
    : error;
}

async function serverErrors(client: PostgresClient, product: FoundProduct | undefined): Promise<string[]> {
  const settings = ['server_version', 'server_encoding'];
  const columns = settings.map((name) => `pg_catalog.current_setting('${name}'::pg_catalog.text)`).join(', ');
  const [version, encoding, isStandby] = await firstRow(client, `SELECT ${columns}, pg_catalog.pg_is_in_recovery()`);
  const errors: string[] = [];
  // Of another product, it is the version that it imitates: its behaviour decides.
  if (!product && Number.parseInt(version ?? '', 10) < MIN_VERSION) {
    errors.push(`it is PostgreSQL ${version}: version ${MIN_VERSION} or later is required`);
  }
  if (encoding !== 'UTF8') errors.push(`its encoding is ${encoding}: create the database with ENCODING 'UTF8'`);
  if (isStandby === 't') errors.push(UNSUITABLE['25006']!);
  return errors;
}

async function bringUpToDate(
  client: PostgresClient,
  names: SchemaNames,
  { migrate: mode, connectDeadlineMs }: ResolvedPostgresOptions,
  logger: Logger,
): Promise<void> {
  const { version, staleFunctions, error } = await readSchemaState(client, names);
  if (version > LATEST_VERSION) return acceptNewerSchema(version, error, logger);
  if (version === LATEST_VERSION && staleFunctions.length === 0) return;
  if (mode === 'check') {
    const difference =
      version < LATEST_VERSION
        ? `its schema has version ${version}, and version ${LATEST_VERSION} is required`
        : `its functions differ from those of this release (${listed(staleFunctions)})`;
    throw unsuitable([
      `${difference}: run the output of postgresMigrationSql({ from: ${version} }), or set migrate to 'auto'`,
    ]);
  }
  await migrate(client, { names, timeoutMs: connectDeadlineMs });
  // A later release may have migrated while this process waited for its lock.
  const migrated = await readSchemaState(client, names);
  if (migrated.version > LATEST_VERSION) return acceptNewerSchema(migrated.version, migrated.error, logger);
  logger.log(`The schema of the session storage is now at version ${LATEST_VERSION}.`);
}

/** A process whose release works on the schema of a later one starts, and changes nothing in it. */
function acceptNewerSchema(version: number, error: string | undefined, logger: Logger): void {
  if (error !== undefined) throw unsuitable([error]);
  logger.warn(
    `The schema of the session storage has version ${version}, of a later release. This release has version ${LATEST_VERSION} ` +
      'and works with it. Upgrade this process as well.',
  );
}

/** The first names of a list. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** The library's error for a failure at start. A failure that waiting does not resolve names its way out. */
export function toStartError(error: unknown): Error {
  const isWithoutTls = error instanceof Error && error.message === NO_TLS;
  const state = sqlStateOf(error) ?? '';
  const rejection = isWithoutTls ? NO_TLS_REJECTION : (REJECTIONS[state] ?? poolerRejection(error));
  if (rejection !== undefined) return new OptionsError('PostgreSQL rejected the connection:', [rejection]);
  const reason = UNSUITABLE[state];
  return reason === undefined ? toPostgresError(error, { wasSent: false, isReadOnly: true }) : unsuitable([reason]);
}

export function unsuitable(errors: readonly string[]): OptionsError {
  return new OptionsError('This PostgreSQL server does not meet the requirements:', errors);
}
