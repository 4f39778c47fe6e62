import { InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { Environment, StorageKind } from './environment.js';

/** The storages: each kind is an entry here. */
const STORAGES: Readonly<Record<StorageKind, (environment: Environment) => SessionStorage>> = {
  memory: () => new InMemorySessionStorage(),
  redis: ({ SESSION_STORAGE_URL, SESSION_STORAGE_KEY_PREFIX, SESSION_STORAGE_TAG_KEY }) =>
    new RedisSessionStorage({
      url: SESSION_STORAGE_URL,
      keyPrefix: SESSION_STORAGE_KEY_PREFIX,
      tagKey: SESSION_STORAGE_TAG_KEY,
    }),
  postgres: (environment) =>
    new PostgresSessionStorage({
      url: environment.SESSION_STORAGE_URL,
      schema: environment.SESSION_STORAGE_SCHEMA,
      tablePrefix: environment.SESSION_STORAGE_TABLE_PREFIX,
      migrate: environment.SESSION_STORAGE_MIGRATE,
    }),
};

/** The storage that the environment chooses, not opened yet. Throws `OptionsError` for an address that cannot be used. */
export function createSessionStorage(environment: Environment): SessionStorage {
  return STORAGES[environment.SESSION_STORAGE](environment);
}
