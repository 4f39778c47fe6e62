import { InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { EnvironmentError } from './environment.error.js';
import type { Environment, StorageKind } from './environment.js';

/** The storages of this release: each kind is an entry here. */
const STORAGES: Readonly<Partial<Record<StorageKind, (environment: Environment) => SessionStorage>>> = {
  memory: () => new InMemorySessionStorage(),
  redis: ({ SESSION_STORAGE_URL, SESSION_STORAGE_KEY_PREFIX, SESSION_STORAGE_TAG_KEY }) =>
    new RedisSessionStorage({
      url: SESSION_STORAGE_URL,
      keyPrefix: SESSION_STORAGE_KEY_PREFIX,
      tagKey: SESSION_STORAGE_TAG_KEY,
    }),
};

/**
 * The storage that the environment chooses, not opened yet. Throws {@link EnvironmentError} for one that this release
 * does not have, and `OptionsError` for an address that cannot be used.
 */
export function createSessionStorage(environment: Environment): SessionStorage {
  const { SESSION_STORAGE } = environment;
  const make = STORAGES[SESSION_STORAGE];
  if (make) return make(environment);
  throw new EnvironmentError([
    `SESSION_STORAGE is ${SESSION_STORAGE}, which this release does not have yet; set it to memory or redis`,
  ]);
}
