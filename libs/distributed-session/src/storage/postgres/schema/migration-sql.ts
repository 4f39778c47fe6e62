import { validateOptions } from '../../../options/validate-options.js';
import { IsWholeNumber } from '../../../options/option-rules.js';
import { FUNCTIONS } from '../functions/functions.js';
import { PostgresSchemaOptions } from '../postgres-session-storage.options.js';
import { unreleasedStoreStatements } from './unreleased-stores.js';
import { MIGRATIONS } from './migrations/migrations.js';
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
  const steps = MIGRATIONS.slice(from).flatMap(({ version, name, statements }) => [
    ...statements,
    `INSERT INTO {session_migration} (version, name) VALUES (${version}, ${literal(name)})`,
  ]);
  const definitions = functions.map(({ definition }) => definition);
  return [
    ...LEDGERS,
    ...steps,
    ...unreleasedStoreStatements(from),
    dropFunctions(),
    ...definitions,
    ...(functions.length > 0 ? [recordFunctions(functions)] : []),
  ].map((text) => names.sql(text));
}

/** Drops the functions that this release does not have, or has with another signature. The others keep their grants. */
function dropFunctions(): string {
  const kept = FUNCTIONS.map(({ sqlName, signature }) => `(${literal(sqlName)}, ${literal(signature)})`);
  return `DO $$
DECLARE
  v_name text;
  v_function oid;
BEGIN
  FOR v_name IN
    DELETE FROM {session_function} WHERE (name, signature) NOT IN (
      ${kept.join(',\n      ')})
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
