import { AS_TEXT, type PostgresClient } from '../connection/postgres-pool.js';
import { FUNCTIONS } from '../functions/functions.js';
import type { Row } from '../records/row-reader.js';
import { SAFE_MIGRATION_PATH, lockLedger, migrationStatements } from './migration-sql.js';
import { LATEST_VERSION, OLDEST } from './migrations/migrations.js';
import { type SchemaState, schemaState } from './schema-compatibility.js';
import type { SchemaNames } from './schema-names.js';

/** All rows of a ledger, whatever columns it has, as JSON. */
export const ledgerRows = (ledger: 'session_migration' | 'session_function'): string =>
  `SELECT pg_catalog.json_agg(pg_catalog.row_to_json(ledger)) FROM {${ledger}} AS ledger`;

/** Reads the ledger of migrations and that of functions. */
export async function readSchemaState(client: PostgresClient, names: SchemaNames): Promise<SchemaState> {
  const [migrations, functions] = [
    await readLedger(client, names, 'session_migration'),
    await readLedger(client, names, 'session_function'),
  ];
  return parseSchemaState(migrations, functions);
}

/** The state of a schema by the rows of its ledgers, as {@link ledgerRows} selects them. */
export function parseSchemaState(
  migrations: string | null | undefined,
  functions: string | null | undefined,
): SchemaState {
  return schemaState(
    JSON.parse(migrations ?? '[]') as Parameters<typeof schemaState>[0],
    JSON.parse(functions ?? '[]') as Parameters<typeof schemaState>[1],
    OLDEST.schema,
  );
}

async function readLedger(
  client: PostgresClient,
  names: SchemaNames,
  ledger: Parameters<typeof ledgerRows>[0],
): Promise<string | null | undefined> {
  // The lock of a catalog query makes other connections' commits visible. `to_regclass` alone may answer from what this
  // connection saw before it waited for them.
  const exists =
    'SELECT pg_catalog.count(*) FROM pg_catalog.pg_class ' +
    'WHERE oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid';
  const [found] = await firstRow(client, exists, [names.of(ledger)]);
  if (found === '0') return undefined;
  const [rows] = await firstRow(client, names.sql(ledgerRows(ledger)));
  return rows;
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
