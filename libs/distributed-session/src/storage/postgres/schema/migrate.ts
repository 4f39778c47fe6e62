import type { PostgresClient } from '../connection/postgres-pool.js';
import { AS_TEXT } from '../connection/postgres-pool.js';
import { migrationStatements } from './migration-sql.js';
import type { SchemaNames } from './schema-names.js';
import { LATEST_VERSION, firstRow, schemaVersion } from './schema-state.js';

/**
 * Brings the schema up to date, in one transaction: all of it or nothing. Of several processes that start at once one
 * does it, and the others wait for that until their time, in milliseconds, is up.
 */
export async function migrate(
  client: PostgresClient,
  { names, schema, timeoutMs }: { names: SchemaNames; schema: string; timeoutMs: number },
): Promise<void> {
  const run = async (text: string) => client.query({ text, rowMode: 'array', types: AS_TEXT });
  await run('BEGIN');
  try {
    const milliseconds = Math.max(1, Math.ceil(timeoutMs));
    await run(`SET LOCAL statement_timeout = ${milliseconds}`);
    await run(`SET LOCAL lock_timeout = ${milliseconds}`);
    await run('SET LOCAL client_min_messages = error');
    await run(`SELECT pg_advisory_xact_lock(${names.lockSeed})`);
    const from = await schemaVersion(client, names);
    if (from < LATEST_VERSION) {
      // Not "IF NOT EXISTS", which asks for the right to create schemas also where there is nothing to create.
      const [schemas] = await firstRow(client, 'SELECT count(*) FROM pg_namespace WHERE nspname = $1', [schema]);
      if (schemas === '0') await run(`CREATE SCHEMA ${names.schema}`);
      for (const statement of migrationStatements(names, from)) await run(statement);
    }
    await run('COMMIT');
  } catch (error) {
    await run('ROLLBACK').catch(() => {});
    throw error;
  }
}
