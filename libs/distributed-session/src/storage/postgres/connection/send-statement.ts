import type { StatementValue } from '../functions/postgres-statement.js';
import type { Row } from '../records/row-reader.js';
import { AS_TEXT, type PostgresClient } from './postgres-pool.js';
import type { StatementLimits } from './statement-style.js';
import { type StatementCall, TransactionQuery } from './transaction-query.js';
import { watchClient } from './watch-client.js';

/** A client of `pg`, which also runs query objects. Other clients never receive limits. */
interface SubmittingClient {
  query(query: TransactionQuery): unknown;
}

/**
 * Sends one statement: as it is, or in a transaction with its own timeouts. Leaves no transaction open on a connection
 * that still works.
 */
export async function sendStatement(
  client: PostgresClient,
  call: StatementCall,
  limits?: StatementLimits,
): Promise<Row[]> {
  if (limits) return sendInTransaction(client, call, limits);
  const { name, text, values = [] } = call;
  const query = { text, values, rowMode: 'array' as const, types: AS_TEXT };
  return (await client.query(name === undefined ? query : Object.assign(query, { name }))).rows as Row[];
}

async function sendInTransaction(client: PostgresClient, call: StatementCall, limits: StatementLimits): Promise<Row[]> {
  const query = new TransactionQuery(call, limits, watchClient(client).prepared);
  const sent = new Promise<Row[]>((resolve, reject) => {
    query.callback = (error, rows = []) => (error ? reject(error) : resolve([...rows]));
    (client as unknown as SubmittingClient).query(query);
  });
  try {
    return await sent;
  } catch (error) {
    // On a connection that was lost it fails as well, and the caller closes it.
    await client.query({ text: 'ROLLBACK', rowMode: 'array', types: AS_TEXT }).catch(() => {});
    throw error;
  }
}

/** A value in the form that `pg` sends: whatever settings the server has, it reads the same value. */
export function toParameter(value: StatementValue): string | Buffer | null {
  if (value === null || typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === 'object') return `{${value.map(arrayElement).join(',')}}`;
  return String(value);
}

function arrayElement(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
