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
const SERVICE_CALLS = [
  'put',
  'find',
  'findByKeyId',
  'addSecret',
  'endSecret',
  'recordUse',
  'renewHash',
  'remove',
  'list',
];

type Call = (...args: unknown[]) => Promise<unknown>;

/** An in-memory storage that records each call, and whose calls a test can fail or delay. */
export class WatchedStorage extends InMemorySessionStorage {
  /** The names of the calls in order, such as `get` or `services.find`, and `get done` when a call has settled. */
  readonly calls: string[] = [];
  /** While it is set, every call except `connect` and `close` rejects with it. */
  failure: Error | undefined;
  /** The promises that calls await before they run, by name. */
  readonly held = new Map<string, Promise<void>>();

  constructor(options?: InMemorySessionStorageOptions) {
    super(options);
    for (const name of SESSION_CALLS) this.#watch(this, name, name);
    for (const name of SERVICE_CALLS) this.#watch(this.services, name, `services.${name}`);
  }

  /** Delays these calls until the returned function is called, so that concurrent callers read the same state. */
  hold(...calls: string[]): () => void {
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    for (const call of calls) this.held.set(call, held);
    return () => {
      for (const call of calls) this.held.delete(call);
      release();
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
