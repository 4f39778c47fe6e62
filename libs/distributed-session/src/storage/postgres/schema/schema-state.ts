import { AS_TEXT, type PostgresClient } from '../connection/postgres-pool.js';
import { FUNCTIONS } from '../functions/functions.js';
import type { Row } from '../records/row-reader.js';
import { SAFE_MIGRATION_PATH, lockLedger, migrationStatements } from './migration-sql.js';
import { MIGRATIONS } from './migrations/migrations.js';
import type { SchemaNames } from './schema-names.js';

/** The schema version that this release requires. */
export const LATEST_VERSION = MIGRATIONS.length;

/** The schema in a database, according to its ledger. */
export interface SchemaState {
  /** The number of the last migration; 0 for none. */
  readonly version: number;
  /** The functions that are missing, differ from this release's, or are not part of it, by name. */
  readonly staleFunctions: readonly string[];
}

/** Reads the ledger of migrations and that of functions. */
export async function readSchemaState(client: PostgresClient, names: SchemaNames): Promise<SchemaState> {
  // The lock of a catalog query makes other connections' commits visible. `to_regclass` alone may answer from what this
  // connection saw before it waited for them.
  const ledgers =
    'SELECT pg_catalog.count(*) FROM pg_catalog.pg_class ' +
    'WHERE oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid';
  const [hasMigrations] = await firstRow(client, ledgers, [names.of('session_migration')]);
  const [hasFunctions] = await firstRow(client, ledgers, [names.of('session_function')]);
  const [version] =
    hasMigrations === '0'
      ? ['0']
      : await firstRow(client, names.sql('SELECT coalesce(pg_catalog.max(version), 0) FROM {session_migration}'));
  const [digests] =
    hasFunctions === '0'
      ? [null]
      : await firstRow(client, names.sql('SELECT pg_catalog.json_object_agg(name, digest) FROM {session_function}'));
  return { version: Number(version), staleFunctions: staleFunctions(JSON.parse(digests ?? '{}')) };
}

function staleFunctions(stored: Readonly<Record<string, string>>): string[] {
  const expected: Record<string, string> = Object.fromEntries(
    FUNCTIONS.map(({ sqlName, digest }) => [sqlName, digest]),
  );
  return Object.keys({ ...stored, ...expected })
    .filter((name) => stored[name] !== expected[name])
    .toSorted();
}

/**
 * Brings the schema up to date in one transaction. When several processes start at once, one migrates and the others wait
 * for it, for at most `timeoutMs` milliseconds.
 */
export async function migrate(
  client: PostgresClient,
  { names, timeoutMs }: { names: SchemaNames; timeoutMs: number },
): Promise<void> {
  const run = async (text: string) => client.query({ text, rowMode: 'array', types: AS_TEXT });
  // Under the lock, it must see what the process before it committed.
  await run('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const milliseconds = Math.max(1, Math.ceil(timeoutMs));
    await run(`SET LOCAL statement_timeout = ${milliseconds}`);
    await run(`SET LOCAL lock_timeout = ${milliseconds}`);
    await run('SET LOCAL idle_in_transaction_session_timeout = 0');
    await run('SET LOCAL client_min_messages = error');
    await run(SAFE_MIGRATION_PATH);
    for (const statement of lockLedger(names)) await run(statement);
    const { version, staleFunctions: stale } = await readSchemaState(client, names);
    if (version < LATEST_VERSION || (version === LATEST_VERSION && stale.length > 0)) {
      const functions = FUNCTIONS.filter(({ sqlName }) => stale.includes(sqlName));
      for (const statement of migrationStatements(names, version, functions)) await run(statement);
    }
    await run('COMMIT');
  } catch (error) {
    await run('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** The first row of a query's result, as text. */
export async function firstRow(client: PostgresClient, text: string, values: unknown[] = []): Promise<Row> {
  const { rows } = await client.query({ text, values, rowMode: 'array', types: AS_TEXT });
  return (rows as Row[])[0] ?? [];
}
