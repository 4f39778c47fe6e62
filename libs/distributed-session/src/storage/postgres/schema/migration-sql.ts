import { validateOptions } from '../../../options/validate-options.js';
import { IsWholeNumber } from '../../../options/option-rules.js';
import { FUNCTIONS } from '../functions/functions.js';
import { PostgresSchemaOptions } from '../postgres-session-storage.options.js';
import { unreleasedStoreStatements } from './unreleased-stores.js';
import { compatibilityMigration } from './migrations/0006-compatibility.migration.js';
import { LATEST_VERSION, MIGRATIONS, type Migration, OLDEST } from './migrations/migrations.js';
import { SchemaNames, literal } from './schema-names.js';

/** The names in migrations mean those of PostgreSQL, never those that another role has created in a shared schema. */
export const SAFE_MIGRATION_PATH = 'SET LOCAL search_path = pg_catalog, pg_temp';

/** The tables that record which migrations were applied, and which functions were created from which text. */
const LEDGERS = [
  `CREATE TABLE IF NOT EXISTS {session_migration} (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`,
  `CREATE TABLE IF NOT EXISTS {session_function} (
  name text PRIMARY KEY,
  signature text NOT NULL,
  digest text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`,
];

/**
 * Locks the ledger of migrations for one transaction at a time, after creating it and its schema if they are missing. If
 * another transaction is creating them, this one waits for it. Readers of the ledger do not wait.
 */
export function lockLedger(names: SchemaNames): string[] {
  return [
    // Not "IF NOT EXISTS", which requires the right to create schemas even where the schema exists.
    unlessCreated(
      names,
      `IF to_regnamespace('{schema}') IS NULL THEN CREATE SCHEMA {schema}; END IF`,
      'duplicate_schema',
    ),
    unlessCreated(names, LEDGERS[0]!, 'duplicate_table'),
    names.sql('LOCK TABLE {session_migration} IN SHARE ROW EXCLUSIVE MODE'),
  ];
}

function unlessCreated(names: SchemaNames, statement: string, duplicate: string): string {
  const body = `BEGIN ${statement}; EXCEPTION WHEN unique_violation OR ${duplicate} THEN NULL; END`;
  return `DO ${literal(names.sql(body))}`;
}

/**
 * The statements that bring the schema from a version to the latest one, for a single transaction: the numbered
 * migrations that are missing, then the functions.
 */
export function migrationStatements(names: SchemaNames, from: number, functions = FUNCTIONS): string[] {
  const steps = MIGRATIONS.slice(from).flatMap((migration) => [...migration.statements, recordMigration(migration)]);
  const definitions = functions.map(({ definition }) => definition);
  return [
    ...LEDGERS,
    requireVersion(from),
    ...steps,
    ...unreleasedStoreStatements(from),
    dropFunctions(),
    ...definitions,
    ...(functions.length > 0 ? [recordFunctions(functions)] : []),
    `UPDATE {session_function} SET schema_version = ${LATEST_VERSION} WHERE (name, signature) IN (${KEPT})`,
  ].map((text) => names.sql(text));
}

/** Fails on a store at another version: its functions may be those of a later release. */
function requireVersion(from: number): string {
  return `DO $$
DECLARE
  v_version integer := (SELECT coalesce(max(version), 0) FROM {session_migration});
BEGIN
  IF v_version <> ${from} THEN
    RAISE EXCEPTION 'The schema has version %, and these statements are for version ${from}', v_version;
  END IF;
END
$$`;
}

/** Enters a migration into the ledger, whose columns are complete from {@link compatibilityMigration} on. */
function recordMigration({ version, name, oldest }: Migration): string {
  const insert = 'INSERT INTO {session_migration} (version, name';
  if (version < compatibilityMigration.version) return `${insert}) VALUES (${version}, ${literal(name)})`;
  const compatibility = `${oldest.schema}, ${literal(oldest.release)}`;
  return `${insert}, oldest_schema, oldest_release) VALUES (${version}, ${literal(name)}, ${compatibility})`;
}

/** The functions of this release. */
const KEPT = FUNCTIONS.map(({ sqlName, signature }) => `(${literal(sqlName)}, ${literal(signature)})`).join(
  ',\n      ',
);
const KEPT_NAMES = FUNCTIONS.map(({ sqlName }) => literal(sqlName)).join(', ');

/**
 * Drops the functions that this release has with another signature, and those that it does not have and that no release
 * calls which works on the schema. The others keep their grants.
 */
function dropFunctions(): string {
  return `DO $$
DECLARE
  v_name text;
  v_function oid;
BEGIN
  FOR v_name IN
    DELETE FROM {session_function} WHERE (name, signature) NOT IN (
      ${KEPT})
      AND (schema_version < ${OLDEST.schema} OR name IN (${KEPT_NAMES}))
    RETURNING name
  LOOP
    -- Another role may have created a function of this name with other parameters.
    FOR v_function IN
      SELECT oid FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace AND proname = '{prefix}' || v_name
        AND pg_has_role(proowner, 'USAGE')
    LOOP
      EXECUTE 'DROP FUNCTION ' || v_function::regprocedure;
    END LOOP;
  END LOOP;
END
$$`;
}

function recordFunctions(functions: typeof FUNCTIONS): string {
  const rows = functions.map(
    ({ sqlName, signature, digest }) => `(${literal(sqlName)}, ${literal(signature)}, ${literal(digest)})`,
  );
  return `INSERT INTO {session_function} (name, signature, digest) VALUES
  ${rows.join(',\n  ')}
ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, applied_at = now()`;
}

/** Options of `postgresMigrationSql()`. The initial values are the defaults. */
class MigrationSqlOptions extends PostgresSchemaOptions {
  /**
   * The version that the database has: the highest number in the ledger, `<prefix>session_migration`.
   *
   * @default 0, a database without the tables
   */
  @IsWholeNumber(0, MIGRATIONS.length)
  readonly from: number = 0;
}

export type PostgresMigrationSqlOptions = Partial<MigrationSqlOptions>;

/**
 * Returns the SQL that brings a database up to date, for teams that run migrations themselves: one transaction, for the
 * owner of the tables. The schema must exist. The functions are always included, so with the latest version as `from` it
 * creates them again.
 *
 * @example
 * console.log(postgresMigrationSql({ from: 1 }));
 *
 * @throws {OptionsError} when a name or the version is invalid.
 */
export function postgresMigrationSql(options: PostgresMigrationSqlOptions = {}): string {
  const { schema, tablePrefix, from } = validateOptions('postgresMigrationSql()', MigrationSqlOptions, options);
  const statements = [
    'BEGIN',
    SAFE_MIGRATION_PATH,
    ...migrationStatements(new SchemaNames(schema, tablePrefix), from),
    'COMMIT',
  ];
  return statements.map((statement) => `${statement};\n`).join('\n');
}
