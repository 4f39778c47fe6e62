import type { PostgresClient } from '../connection/postgres-pool.js';
import { AS_TEXT } from '../connection/postgres-pool.js';
import { MIGRATIONS } from './migrations/migrations.js';
import type { SchemaNames } from './schema-names.js';

/** The version of the schema that this release works with. */
export const LATEST_VERSION = MIGRATIONS.length;

/** The version of the schema in a database: that of its last migration; 0 for none. */
export async function schemaVersion(client: PostgresClient, names: SchemaNames): Promise<number> {
  const known = await firstCell(client, 'SELECT to_regclass($1) IS NOT NULL', [names.migration]);
  if (known !== 't') return 0;
  return Number(await firstCell(client, `SELECT coalesce(max(version), 0) FROM ${names.migration}`));
}

/** The first value of the answer to a query, as text. */
export async function firstCell(client: PostgresClient, text: string, values: unknown[] = []): Promise<string | null> {
  const { rows } = await client.query({ text, values, rowMode: 'array', types: AS_TEXT });
  return (rows as (string | null)[][])[0]?.[0] ?? null;
}
