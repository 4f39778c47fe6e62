import { InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { EnvironmentError } from './environment.error.js';
import type { Environment } from './environment.js';

/** The storage that the environment chooses; throws {@link EnvironmentError} for one that this release does not have. */
export function createSessionStorage({ SESSION_STORAGE }: Environment): SessionStorage {
  if (SESSION_STORAGE === 'memory') return new InMemorySessionStorage();
  throw new EnvironmentError([
    `SESSION_STORAGE is ${SESSION_STORAGE}, which this release does not have yet; set it to memory`,
  ]);
}
