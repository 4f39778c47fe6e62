import type { PostgresClient } from '../connection/postgres-pool.js';
import { AS_TEXT } from '../connection/postgres-pool.js';
import type { Row } from '../records/row-reader.js';
import { MIGRATIONS } from './migrations/migrations.js';
import type { SchemaNames } from './schema-names.js';

/** The version of the schema that this release works with. */
export const LATEST_VERSION = MIGRATIONS.length;

/** The version of the schema in a database: that of its last migration; 0 for none. */
export async function schemaVersion(client: PostgresClient, names: SchemaNames): Promise<number> {
  // By a look into the catalog, whose lock brings word of what others have committed: `to_regclass` by itself may go by
  // what this connection found before it waited for them.
  const ledgers = 'SELECT count(*) FROM pg_class WHERE oid = to_regclass($1)';
  const [count] = await firstRow(client, ledgers, [names.migration]);
  if (count === '0') return 0;
  const [version] = await firstRow(client, `SELECT coalesce(max(version), 0) FROM ${names.migration}`);
  return Number(version);
}

/** The first row of the answer to a query, as text. */
export async function firstRow(client: PostgresClient, text: string, values: unknown[] = []): Promise<Row> {
  const { rows } = await client.query({ text, values, rowMode: 'array', types: AS_TEXT });
  return (rows as Row[])[0] ?? [];
}
