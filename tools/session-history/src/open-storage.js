/** @import { SessionStorage } from 'nestjs-distributed-session' */

/** Where each storage that processes can share is found, and by what name. */
const EXPORTS = {
  memory: { entryPoint: 'nestjs-distributed-session', name: 'InMemorySessionStorage' },
  redis: { entryPoint: 'nestjs-distributed-session/redis', name: 'RedisSessionStorage' },
  postgres: { entryPoint: 'nestjs-distributed-session/postgres', name: 'PostgresSessionStorage' },
};

/**
 * Which storage to open, by its kind, with the options of its class. In `memory` each process has one of its own.
 *
 * @typedef {{ [Kind in keyof typeof EXPORTS]?: object }} StorageChoice
 */

/**
 * Makes a storage and connects it.
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
