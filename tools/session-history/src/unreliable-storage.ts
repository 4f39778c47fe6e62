import { type SessionStorage, StorageOutcomeUnknownError, StorageUnavailableError } from 'nestjs-distributed-session';

/**
 * What becomes of a call: it is carried out; refused; carried out, but its reply lost; lost itself; or lost for the
 * caller, and carried out much later.
 */
export type Fate = 'carried-out' | 'refused' | 'reply-lost' | 'lost' | 'late';

/** What answers at once and is no call to a store. */
const IMMEDIATE = new Set<string | symbol>(['services', 'now', 'nextSessionId', 'changes', 'feedLagMs']);
const READS = new Set<string | symbol>(['get', 'listByLogin', 'listHistory', 'listLogins', 'count', 'ping']);

/** A storage behind a connection that fails in all the ways that the contract allows, and in no other. */
export class UnreliableStorage {
  readonly storage: SessionStorage;
  readonly #late: (() => Promise<unknown>)[] = [];

  constructor(
    target: SessionStorage,
    private readonly nextFate: () => Fate,
    /** What a call waits for before it is carried out, and its reply after that. */
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

  /** Carries out what has been late until now. */
  async catchUp(): Promise<void> {
    for (const carryOut of this.#late.splice(0)) await carryOut();
  }

  async #meet(isRead: boolean, carryOut: () => Promise<unknown>): Promise<unknown> {
    await this.pause();
    const fate = this.nextFate();
    if (fate === 'refused' || (isRead && fate !== 'carried-out')) throw new StorageUnavailableError();
    if (fate === 'late') this.#late.push(carryOut);
    if (fate === 'late' || fate === 'lost') throw new StorageOutcomeUnknownError();
    const reply = await carryOut();
    await this.pause();
    if (fate === 'reply-lost') throw new StorageOutcomeUnknownError();
    return reply;
  }
}
