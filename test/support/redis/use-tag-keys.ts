import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, jest } from '@jest/globals';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { created } from '../storage/storage-calls.js';
import { login } from './tagged-sessions.js';

export const [OLD, NEW] = ['the old tag key of the application', 'the new tag key of the application'];

/** A store in which alice has two sessions under the earlier key and one under the current one. */
interface ChangedStore {
  /** A process with both keys. */
  readonly both: RedisSessionStorage;
  /** The sessions in the order of their creation. */
  readonly sessions: readonly SessionRecord[];
}

export interface TagKeyContext {
  readonly server: RedisServer;
  readonly logged: jest.SpiedFunction<Logger['log']>;
  readonly warned: jest.SpiedFunction<Logger['warn']>;
  /** Starts a process with these keys; without one, with the key prefix. */
  readonly start: (...tagKey: string[]) => Promise<RedisSessionStorage>;
  /** Starts a process with these options. */
  readonly connect: (options: RedisSessionStorageOptions) => Promise<RedisSessionStorage>;
  readonly stop: (storage: RedisSessionStorage) => Promise<void>;
  /** Reads what the store says about its key. */
  readonly stored: (field: string) => Promise<string>;
  /** Waits until the store uses another key than the one with this fingerprint. */
  readonly changed: (fingerprint: string) => Promise<void>;
  readonly changedStore: () => Promise<ChangedStore>;
}

/** Starts one server for the tests of a file, empties it for each, and stops the processes of a test after it. */
export function useTagKeys(): TagKeyContext {
  let server: RedisServer;
  let logged: TagKeyContext['logged'];
  let warned: TagKeyContext['warned'];
  let storages: RedisSessionStorage[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  beforeEach(async () => {
    await server.call('FLUSHALL');
    logged = jest.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  });

  afterEach(async () => {
    for (const storage of storages) await storage.close();
    storages = [];
    jest.restoreAllMocks();
  });

  afterAll(() => server.stop());

  const connect: TagKeyContext['connect'] = async (options) => {
    const storage = new RedisSessionStorage(options);
    storages.push(storage);
    await storage.connect();
    return storage;
  };

  const start: TagKeyContext['start'] = (...tagKey) => {
    const options = { url: server.url, heartbeatIntervalMs: 50 };
    return connect(tagKey.length > 0 ? { ...options, tagKey } : options);
  };

  const stop: TagKeyContext['stop'] = async (storage) => {
    storages = storages.filter((other) => other !== storage);
    await storage.close();
  };

  const stored: TagKeyContext['stored'] = async (field) => String(await server.call('HGET', '{ds}:meta', field));

  const changed: TagKeyContext['changed'] = async (fingerprint) => {
    await eventually(async () => (await stored('fingerprint')) !== fingerprint);
    const switchAt = Number(await stored('switchAt'));
    await eventually(async () => Number(((await server.call('TIME')) as string[])[0]) * 1_000 > switchAt);
  };

  const changedStore: TagKeyContext['changedStore'] = async () => {
    const old = await start(OLD);
    const early = [await created(old, 'alice'), await created(old, 'alice')];
    const fingerprint = await stored('fingerprint');
    await stop(old);
    const both = await start(NEW, OLD);
    await changed(fingerprint);
    const result = await login(both);
    if (result.outcome !== 'created') throw new Error(result.outcome);
    return { both, sessions: [...early, result.session] };
  };

  return {
    get server() {
      return server;
    },
    get logged() {
      return logged;
    },
    get warned() {
      return warned;
    },
    start,
    connect,
    stop,
    stored,
    changed,
    changedStore,
  };
}
