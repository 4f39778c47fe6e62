import { InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { EnvironmentError } from './environment.error.js';
import type { Environment, StorageKind } from './environment.js';

/** The storages of this release: each kind is an entry here. */
const STORAGES: Readonly<Partial<Record<StorageKind, (environment: Environment) => SessionStorage>>> = {
  memory: () => new InMemorySessionStorage(),
};

/** The storage that the environment chooses; throws {@link EnvironmentError} for one that this release does not have. */
export function createSessionStorage(environment: Environment): SessionStorage {
  return makerFor(environment)(environment);
}

/** Throws as {@link createSessionStorage} would, and makes nothing: for a start that fails before it begins. */
export function assertStorageAvailable(environment: Environment): void {
  makerFor(environment);
}

function makerFor({ SESSION_STORAGE }: Environment): (environment: Environment) => SessionStorage {
  const make = STORAGES[SESSION_STORAGE];
  if (make) return make;
  throw new EnvironmentError([
    `SESSION_STORAGE is ${SESSION_STORAGE}, which this release does not have yet; set it to memory`,
  ]);
}
