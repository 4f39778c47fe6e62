import { Client } from 'pg';

/** Long enough for a busy machine; a frozen server is found out by it. */
const PATIENCE_MS = 5_000;

/** Runs the work over a connection of its own to the database of the URL, and closes it. */
export async function withPostgres<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    application_name: 'tests',
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
  });
  // The call that waits is rejected; without a listener the loss of the connection would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
