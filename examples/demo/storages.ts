import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { Client } from 'pg';

/** A storage for the demo, used by the services themselves or by the session service. */
export interface StorageChoice {
  /** The name that the transcript shows. */
  readonly name: string;
  create(): SessionStorage;
  /** The environment variables that make the session service use this storage. */
  readonly environment: Readonly<Record<string, string>>;
  /** Removes the demo's data from the store, after the storage was closed. */
  clear(): Promise<void>;
}

/** The storage that the environment selects. Every run has its own keys or schema, so it never touches other sessions. */
export function chooseStorage({ DEMO_REDIS_URL, DEMO_POSTGRES_URL }: NodeJS.ProcessEnv): StorageChoice {
  if (DEMO_REDIS_URL) return onRedis(DEMO_REDIS_URL);
  if (DEMO_POSTGRES_URL) return onPostgres(DEMO_POSTGRES_URL);
  return {
    name: 'an in-memory storage',
    create: () => new InMemorySessionStorage(),
    environment: { SESSION_STORAGE: 'memory' },
    clear: async () => {},
  };
}

function onRedis(url: string): StorageChoice {
  const keyPrefix = `demo-${randomUUID()}`;
  return {
    name: 'the Redis of DEMO_REDIS_URL',
    create: () => new RedisSessionStorage({ url, keyPrefix }),
    environment: { SESSION_STORAGE: 'redis', SESSION_STORAGE_URL: url, SESSION_STORAGE_KEY_PREFIX: keyPrefix },
    clear: async () => removeKeys(url, `{${keyPrefix}[:}]*`),
  };
}

function onPostgres(url: string): StorageChoice {
  const schema = `demo-${randomUUID()}`;
  return {
    name: 'the PostgreSQL of DEMO_POSTGRES_URL',
    create: () => new PostgresSessionStorage({ url, schema }),
    environment: { SESSION_STORAGE: 'postgres', SESSION_STORAGE_URL: url, SESSION_STORAGE_SCHEMA: schema },
    clear: async () => dropSchema(url, schema),
  };
}

async function removeKeys(url: string, pattern: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  // The storage has already reported connection errors.
  redis.on('error', () => {});
  try {
    await redis.connect();
    for await (const keys of redis.scanStream({ match: pattern, count: 1_000 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await redis.unlink(keys);
    }
  } finally {
    redis.disconnect();
  }
}

async function dropSchema(url: string, schema: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  // The storage has already reported connection errors.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`SET client_min_messages = error; DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  } finally {
    await client.end();
  }
}
