import { Client } from 'pg';

/** Long enough for a busy machine. Detects a frozen server. */
const WAIT_LIMIT_MS = 5_000;

/** Runs the work on a separate connection to the URL's database, and closes it. */
export async function withPostgres<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    application_name: 'tests',
    connectionTimeoutMillis: WAIT_LIMIT_MS,
    query_timeout: WAIT_LIMIT_MS,
  });
  // A waiting call is rejected anyway; without a listener, the lost connection would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
