/** @import { SessionStorage } from 'nestjs-distributed-session' */

/** The entry point and name of each storage class. */
const EXPORTS = {
  memory: { entryPoint: 'nestjs-distributed-session', name: 'InMemorySessionStorage' },
  redis: { entryPoint: 'nestjs-distributed-session/redis', name: 'RedisSessionStorage' },
  postgres: { entryPoint: 'nestjs-distributed-session/postgres', name: 'PostgresSessionStorage' },
};

/**
 * The kind of storage to open and the options of its class. With `memory`, each process has a separate storage.
 *
 * @typedef {{ [Kind in keyof typeof EXPORTS]?: object }} StorageChoice
 */

/**
 * Creates and connects a storage.
 *
 * @param {StorageChoice} choice
 * @returns {Promise<SessionStorage>}
 */
export async function openStorage(choice) {
  const [kind] = /** @type {(keyof StorageChoice)[]} */ (Object.keys(choice));
  if (kind === undefined || !(kind in EXPORTS)) throw new Error(`Not a storage: ${JSON.stringify(choice)}`);
  const { entryPoint, name } = EXPORTS[kind];
  const exported = /** @type {Record<string, new (options?: object) => SessionStorage>} */ (await import(entryPoint));
  const Storage = exported[name];
  if (!Storage) throw new Error(`${entryPoint} does not export ${name}.`);
  const storage = new Storage(choice[kind]);
  await storage.connect();
  return storage;
}
