import type { SessionStorage } from 'nestjs-distributed-session';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { created } from './storage-calls.js';
import { SteadyLoad } from './steady-load.js';

/** Several storages on the same sessions, each with separate connections, like several processes. */
export abstract class StorageGroup<Storage extends SessionStorage = SessionStorage> {
  /** The changes that each storage has received so far. */
  readonly received: readonly StorageChange[][];
  readonly #witnesses: Storage[] = [];
  readonly #loads: SteadyLoad[] = [];

  protected constructor(readonly storages: readonly Storage[]) {
    this.received = storages.map(() => []);
  }

  protected async connect(): Promise<void> {
    try {
      await Promise.all(this.storages.map((storage) => storage.connect()));
    } catch (error) {
      await this.close();
      throw error;
    }
    for (const [index, storage] of this.storages.entries()) {
      storage.changes((change) => this.received[index]!.push(change));
    }
  }

  /** Whether each storage has received a gap. */
  get allReceivedGap(): boolean {
    return this.received.every((changes) => changes.some(({ type }) => type === 'feed.gap'));
  }

  /** Resolves once each storage reaches a server that accepts writes. */
  async waitUntilWritable(): Promise<void> {
    await eventually(async () => (await Promise.all(this.storages.map(isWritable))).every(Boolean));
  }

  /** Resolves once changes are delivered: the first storage creates sessions for these login ids, and the last receives them all. */
  async waitUntilReceived(logins: readonly string[]): Promise<void> {
    const [first, last, received] = [this.storages[0]!, this.storages.at(-1)!, this.received.at(-1)!];
    await eventually(() => last.feedLagMs() < 2_000);
    const ids = new Set<string>();
    for (const loginId of logins) ids.add((await createdEventually(first, loginId)).sessionId);
    const isReceived = (id: string) => received.some((change) => 'sessionId' in change && change.sessionId === id);
    await eventually(() => [...ids].every(isReceived));
  }

  /** Connects one more storage on the same sessions, which reads the result. It is closed with the group. */
  protected async join(witness: Storage): Promise<Storage> {
    this.#witnesses.push(witness);
    await witness.connect();
    return witness;
  }

  /** Starts a load of these users, which ends with the group at the latest. */
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

async function isWritable(storage: SessionStorage): Promise<boolean> {
  const health = await storage.ping().catch(() => undefined);
  return health?.writable === true;
}

/** Retries, because clients may reopen their connections after a failover. */
async function createdEventually(storage: SessionStorage, loginId: string): Promise<SessionRecord> {
  let session: SessionRecord | undefined;
  await eventually(async () => {
    session = await created(storage, loginId).catch(() => undefined);
    return session !== undefined;
  });
  return session!;
}
