import {
  type DistributedSessionModuleOptions,
  InMemorySessionStorage,
  type SessionStorage,
} from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { Environment, StorageKind } from './environment.js';
import { keyEntries } from './key-entries.js';

/** The storage factories by kind. */
const STORAGES: Readonly<Record<StorageKind, (environment: Environment) => SessionStorage>> = {
  memory: () => new InMemorySessionStorage(),
  redis: ({ SESSION_STORAGE_URL, SESSION_STORAGE_KEY_PREFIX, SESSION_STORAGE_TAG_KEY }) =>
    new RedisSessionStorage({
      url: SESSION_STORAGE_URL,
      keyPrefix: SESSION_STORAGE_KEY_PREFIX,
      tagKey: keysIn(SESSION_STORAGE_TAG_KEY),
    }),
  postgres: (environment) =>
    new PostgresSessionStorage({
      url: environment.SESSION_STORAGE_URL,
      schema: environment.SESSION_STORAGE_SCHEMA,
      tablePrefix: environment.SESSION_STORAGE_TABLE_PREFIX,
      migrate: environment.SESSION_STORAGE_MIGRATE,
      feedUrl: environment.SESSION_STORAGE_FEED_URL,
      feedPollIntervalMs: environment.SESSION_STORAGE_FEED_POLL_MS,
      pooling: environment.SESSION_STORAGE_POOLING,
    }),
};

/**
 * Creates the configured storage without opening it.
 *
 * @throws {OptionsError} when the URL is invalid.
 */
export function createSessionStorage(environment: Environment): SessionStorage {
  return STORAGES[environment.SESSION_STORAGE](environment);
}

/** Returns the options of the library for an environment. */
export function sessionOptions(environment: Environment): DistributedSessionModuleOptions {
  return {
    serviceId: environment.SERVICE_ID,
    storage: createSessionStorage(environment),
    timeoutPreset: environment.SESSION_TIMEOUT_PRESET,
    idleTimeoutMs: environment.SESSION_IDLE_TIMEOUT_MS,
    absoluteTimeoutMs: environment.SESSION_ABSOLUTE_TIMEOUT_MS,
    maxIdleTimeoutMs: environment.SESSION_MAX_IDLE_TIMEOUT_MS,
    maxAbsoluteTimeoutMs: environment.SESSION_MAX_ABSOLUTE_TIMEOUT_MS,
    maxSessionsPerLogin: environment.SESSION_MAX_PER_LOGIN,
    maxSessionsPerDevice: environment.SESSION_MAX_PER_DEVICE,
    onLimit: environment.SESSION_ON_LIMIT,
    rotationGraceMs: environment.SESSION_ROTATION_GRACE_MS,
    historyRetentionMs: environment.SESSION_HISTORY_RETENTION_MS,
    secretPepper: keysIn(environment.SECRET_PEPPER),
    tokenKey: keysIn(environment.TOKEN_KEY),
  };
}

function keysIn(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : keyEntries(value);
}
