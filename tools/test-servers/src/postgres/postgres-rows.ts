import { type Client, escapeIdentifier } from 'pg';

/** Ordinary tables with their partitions, and materialized views, without other sessions' temporary tables. */
const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  ORDER BY 1, 2`;

/** Every row of every table of the database, one per line, with the column names. */
export async function dumpRows(client: Client): Promise<string> {
  const { rows: tables } = await client.query<{ schema: string; name: string }>(TABLES);
  const lines: string[] = [];
  for (const { schema, name } of tables) {
    const { rows, fields } = await client.query<string[]>({
      text: `SELECT * FROM ${escapeIdentifier(schema)}.${escapeIdentifier(name)}`,
      rowMode: 'array',
      types: { getTypeParser: () => readable },
    });
    for (const row of rows) {
      lines.push(`${schema}.${name}: ${fields.map((field, n) => `${field.name}=${row[n]}`).join(' ')}`);
    }
  }
  return lines.join('\n');
}

/** A value in PostgreSQL's text form; binary data, also within arrays and rows, is followed by its text. */
function readable(value: string | Buffer): string {
  return value
    .toString()
    .replace(
      /\\x((?:[0-9a-f]{2})+)/gu,
      (bytes, digits: string) => `${bytes} (${Buffer.from(digits, 'hex').toString('utf8')})`,
    );
}
