import { randomUUID } from 'node:crypto';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { eventually } from '../eventually.js';
import type { RedisServer } from './redis-server.js';
import { SteadyLoad } from './steady-load.js';
import { created } from './storage-calls.js';

/** Several storages on the same sessions, each with connections of its own, as so many processes have them. */
export class StorageGroup {
  readonly keyPrefix = `ds:${randomUUID()}`;
  readonly storages: readonly RedisSessionStorage[];
  /** What each of them has heard so far. */
  readonly heard: readonly StorageChange[][];
  readonly #witnesses: RedisSessionStorage[] = [];
  readonly #loads: SteadyLoad[] = [];

  private constructor(count: number, servers: RedisSessionStorageOptions) {
    const options = { keyPrefix: this.keyPrefix, heartbeatIntervalMs: 200, ...servers };
    this.storages = Array.from({ length: count }, () => new RedisSessionStorage(options));
    this.heard = this.storages.map(() => []);
  }

  /** Connects so many that nobody else shares a key with. */
  static async open(count: number, servers: RedisSessionStorageOptions): Promise<StorageGroup> {
    const group = new StorageGroup(count, servers);
    try {
      await Promise.all(group.storages.map((storage) => storage.connect()));
    } catch (error) {
      await group.close();
      throw error;
    }
    for (const [index, storage] of group.storages.entries()) {
      storage.changes((change) => group.heard[index]!.push(change));
    }
    return group;
  }

  /** Whether each was told that it may have missed something. */
  get allHeardGap(): boolean {
    return this.heard.every((changes) => changes.some(({ type }) => type === 'feed.gap'));
  }

  /** Resolves once each of them reaches a server that takes writes. */
  async waitUntilWritable(): Promise<void> {
    await eventually(async () => (await Promise.all(this.storages.map(isWritable))).every(Boolean));
  }

  /** Resolves once each hears what another writes: the first creates sessions of these logins, the last hears them all. */
  async waitUntilHeard(logins: readonly string[]): Promise<void> {
    const [first, last, heard] = [this.storages[0]!, this.storages.at(-1)!, this.heard.at(-1)!];
    await eventually(() => last.feedLagMs() < 2_000);
    const ids = new Set<string>();
    for (const loginId of logins) ids.add((await createdInTheEnd(first, loginId)).sessionId);
    const isHeard = (id: string) => heard.some((change) => 'sessionId' in change && change.sessionId === id);
    await eventually(() => [...ids].every(isHeard));
  }

  /**
   * One more, connected to this server itself. It sees what is there while others, told of a failover by one Sentinel
   * after the other, may be opening their connections once more.
   */
  async witness({ url }: RedisServer): Promise<RedisSessionStorage> {
    const witness = new RedisSessionStorage({ url, keyPrefix: this.keyPrefix });
    this.#witnesses.push(witness);
    await witness.connect();
    return witness;
  }

  /** Starts a load of such users; it ends with the group at the latest. */
  startLoad(users: readonly Iterator<string, undefined>[]): SteadyLoad {
    const load = new SteadyLoad({ storages: this.storages, users });
    this.#loads.push(load);
    return load;
  }

  async close(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.stop()));
    await Promise.all([...this.storages, ...this.#witnesses].map((storage) => storage.close()));
  }
}

async function isWritable(storage: RedisSessionStorage): Promise<boolean> {
  const health = await storage.ping().catch(() => undefined);
  return health?.writable === true;
}

/** A Sentinel that tells of a failover later than others makes its clients open their connections once more. */
async function createdInTheEnd(storage: RedisSessionStorage, loginId: string): Promise<SessionRecord> {
  let session: SessionRecord | undefined;
  await eventually(async () => {
    session = await created(storage, loginId).catch(() => undefined);
    return session !== undefined;
  });
  return session!;
}
