import { randomUUID } from 'node:crypto';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { Client } from 'pg';
import type { StorageChoice } from './storage-choice.js';

/** In a schema of its own: the demo finds no session that is not its own, and disturbs none. */
export function onPostgres(url: string): StorageChoice {
  const schema = `demo-${randomUUID()}`;
  return {
    name: 'the PostgreSQL of DEMO_POSTGRES_URL',
    create: () => new PostgresSessionStorage({ url, schema }),
    environment: { SESSION_STORAGE: 'postgres', SESSION_STORAGE_URL: url, SESSION_STORAGE_SCHEMA: schema },
    clear: async () => dropSchema(url, schema),
  };
}

async function dropSchema(url: string, schema: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  // What was wrong with the connection was told before.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`SET client_min_messages = error; DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  } finally {
    await client.end();
  }
}
