import { inMemory } from './storages/in-memory.js';
import { onPostgres } from './storages/on-postgres.js';
import { onRedis } from './storages/on-redis.js';
import type { StorageChoice } from './storages/storage-choice.js';

/** The storage that the environment asks for. This is the one place that chooses. */
export function chooseStorage({ DEMO_REDIS_URL, DEMO_POSTGRES_URL }: NodeJS.ProcessEnv): StorageChoice {
  if (DEMO_REDIS_URL) return onRedis(DEMO_REDIS_URL);
  if (DEMO_POSTGRES_URL) return onPostgres(DEMO_POSTGRES_URL);
  return inMemory();
}
