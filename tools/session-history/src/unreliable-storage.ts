import { type SessionStorage, StorageOutcomeUnknownError, StorageUnavailableError } from 'nestjs-distributed-session';

/**
 * The fate of a call: executed; refused; executed with its reply lost; lost; or lost for the caller and executed much
 * later.
 */
export type Fate = 'executed' | 'refused' | 'reply-lost' | 'lost' | 'late';

/** Members that return immediately and do not call the store. */
const IMMEDIATE = new Set<string | symbol>(['services', 'now', 'nextSessionId', 'changes', 'feedLagMs']);
const READS = new Set<string | symbol>(['get', 'listByLogin', 'listHistory', 'listLogins', 'count', 'ping']);

/** A storage behind a connection that fails in every way that the contract allows, and in no other. */
export class UnreliableStorage {
  readonly storage: SessionStorage;
  readonly #late: (() => Promise<unknown>)[] = [];

  constructor(
    target: SessionStorage,
    private readonly nextFate: () => Fate,
    /** Awaited before a call executes, and before its reply. */
    private readonly pause: () => Promise<void>,
  ) {
    this.storage = new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        const method = member.bind(target) as (...args: unknown[]) => unknown;
        if (IMMEDIATE.has(name)) return method;
        return (...args: unknown[]) => this.#meet(READS.has(name), async () => method(...args));
      },
    });
  }

  /** Executes the calls that were delayed until now. */
  async catchUp(): Promise<void> {
    for (const execute of this.#late.splice(0)) await execute();
  }

  async #meet(isRead: boolean, execute: () => Promise<unknown>): Promise<unknown> {
    await this.pause();
    const fate = this.nextFate();
    if (fate === 'refused' || (isRead && fate !== 'executed')) throw new StorageUnavailableError();
    if (fate === 'late') this.#late.push(execute);
    if (fate === 'late' || fate === 'lost') throw new StorageOutcomeUnknownError();
    const reply = await execute();
    await this.pause();
    if (fate === 'reply-lost') throw new StorageOutcomeUnknownError();
    return reply;
  }
}
