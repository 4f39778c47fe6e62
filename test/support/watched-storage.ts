import { InMemorySessionStorage, type InMemorySessionStorageOptions } from 'nestjs-distributed-session';

const SESSION_CALLS = [
  'create',
  'get',
  'replace',
  'touch',
  'rotate',
  'end',
  'endAll',
  'listByLogin',
  'listHistory',
  'listLogins',
  'count',
  'sweep',
  'ping',
];
const SERVICE_CALLS = ['put', 'find', 'findByKeyId', 'addSecret', 'endSecret', 'recordUse', 'remove', 'list'];

type Call = (...args: unknown[]) => Promise<unknown>;

/** An in-memory storage that notes each call, and that can be made to fail or to keep callers waiting. */
export class WatchedStorage extends InMemorySessionStorage {
  /** The names of the calls, in their order: `get`, `services.find`, and `… done` when one has settled. */
  readonly calls: string[] = [];
  /** What every call but `connect` and `close` rejects with, while it is set. */
  failure: Error | undefined;
  /** What every call waits for before it is carried out, by its name. */
  readonly held = new Map<string, Promise<void>>();

  constructor(options?: InMemorySessionStorageOptions) {
    super(options);
    for (const name of SESSION_CALLS) this.#watch(this, name, name);
    for (const name of SERVICE_CALLS) this.#watch(this.services, name, `services.${name}`);
  }

  /** Keeps these calls waiting until what is returned is called: whoever asks meanwhile has read what the others read. */
  hold(...calls: string[]): () => void {
    let carryOut!: () => void;
    const held = new Promise<void>((resolve) => (carryOut = resolve));
    for (const call of calls) this.held.set(call, held);
    return () => {
      for (const call of calls) this.held.delete(call);
      carryOut();
    };
  }

  override async connect(): Promise<void> {
    this.calls.push('connect');
    await super.connect();
  }

  override async close(): Promise<void> {
    this.calls.push('close');
    await super.close();
  }

  #watch(target: object, name: string, label: string): void {
    const original = Reflect.get(target, name) as Call;
    const watched: Call = async (...args) => {
      this.calls.push(label);
      await this.held.get(name);
      try {
        if (this.failure) throw this.failure;
        return await original.apply(target, args);
      } finally {
        this.calls.push(`${label} done`);
      }
    };
    Object.defineProperty(target, name, { value: watched });
  }
}
