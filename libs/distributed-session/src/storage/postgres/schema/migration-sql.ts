import { OptionsError } from '../../../errors/options.error.js';
import { SCHEMA_DEFAULTS, schemaFaults } from '../postgres-session-storage.options.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { SchemaNames, literal } from './schema-names.js';

/** What brings the schema from one version to the latest, statement by statement. It belongs into one transaction. */
export function migrationStatements(names: SchemaNames, from: number, to = MIGRATIONS.length): string[] {
  const ledger = `CREATE TABLE IF NOT EXISTS ${names.migration} (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;
  const steps = MIGRATIONS.slice(from, to).flatMap(({ version, name, statements }) => [
    ...statements(names),
    `INSERT INTO ${names.migration} (version, name) VALUES (${version}, ${literal(name)})`,
  ]);
  return [ledger, ...steps];
}

export interface PostgresMigrationSqlOptions {
  /** The schema of the tables; it must exist. Default `public`. */
  readonly schema?: string;
  /** Default `distributed_`. */
  readonly tablePrefix?: string;
  /** The version that the database has: the highest number in the ledger, `<prefix>session_migration`. Default 0: none. */
  readonly from?: number;
}

/**
 * The SQL that brings a database up to date, for teams that run migrations themselves: one transaction, to be run once,
 * by the owner of the tables. Throws an `OptionsError` for names that cannot be used.
 */
export function postgresMigrationSql(options: PostgresMigrationSqlOptions = {}): string {
  const { schema, tablePrefix, from = 0 } = { ...SCHEMA_DEFAULTS, ...options };
  const faults = schemaFaults({ schema, tablePrefix });
  if (!Number.isSafeInteger(from) || from < 0 || from > MIGRATIONS.length) {
    faults.push(`from must be a whole number from 0 to ${MIGRATIONS.length}`);
  }
  if (faults.length > 0) throw new OptionsError('The options of postgresMigrationSql() are not usable:', faults);
  const statements = ['BEGIN', ...migrationStatements(new SchemaNames(schema, tablePrefix), from), 'COMMIT'];
  return statements.map((statement) => `${statement};\n`).join('\n');
}
