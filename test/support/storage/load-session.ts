import type { StoredSession } from 'nestjs-distributed-session/storage';
import { textOf } from './storage-calls.js';

/** A write of a load. Only one user writes to the session. Times are those of `performance.now()`. */
export interface LoadWrite {
  readonly operation: 'create' | 'replace' | 'end';
  /** The session's version after the write. */
  readonly version: number;
  /** The outcome of its result, or the code of its error. */
  readonly outcome: string;
  readonly endedAt: number;
}

const APPLIED = ['created', 'replaced', 'ended'];
const UNKNOWN = 'ERR_STORAGE_OUTCOME_UNKNOWN';

/** Whether a call's outcome states that it was applied. */
export function isApplied({ outcome }: { readonly outcome: string }): boolean {
  return APPLIED.includes(outcome);
}

/** A session of a load with its writes, which determine what a read may return. */
export class LoadSession {
  readonly #writes: LoadWrite[] = [];

  constructor(
    readonly sessionId: string,
    readonly loginId: string,
  ) {}

  add(write: LoadWrite): void {
    this.#writes.push(write);
  }

  /** The payload of a version. */
  textAt(version: number): string {
    return `${this.sessionId} at ${version}`;
  }

  /** Whether it is live, according to the results of its user's calls. */
  get isLive(): boolean {
    return this.#writes.every(isApplied) && this.#writes.at(-1)?.operation !== 'end';
  }

  /**
   * The violations in the result of a read that began at `askedAt`, one sentence each. Only writes acknowledged before
   * `acknowledgedBefore` count.
   */
  faultsOf(found: StoredSession | undefined, askedAt = Infinity, acknowledgedBefore = Infinity): string[] {
    const before = Math.min(askedAt, acknowledgedBefore);
    const acknowledged = this.#writes.filter((write) => isApplied(write) && write.endedAt < before);
    const possible = this.#writes.filter((write) => isApplied(write) || write.outcome === UNKNOWN);
    const last = acknowledged.at(-1);
    if (found === undefined) return last ? [this.#describe(`is gone, but had version ${last.version}`)] : [];
    const { state, version } = found;
    const faults: string[] = [];
    if (found.sessionId !== this.sessionId || found.loginId !== this.loginId) faults.push(`is ${found.sessionId}`);
    if (possible.length === 0) faults.push('exists, but was not created');
    if (version < (last?.version ?? 0)) faults.push(`is at ${version} and was at ${last!.version}`);
    if (version > Math.max(0, ...possible.map((write) => write.version)))
      faults.push(`is at ${version}, which no call wrote`);
    if (state === 'live' && last?.operation === 'end') faults.push('lives after its end');
    if (state === 'ended' && !possible.some(({ operation }) => operation === 'end'))
      faults.push('was ended by no call');
    if (state === 'live' && textOf(found.payload) !== this.textAt(version))
      faults.push('has the payload of another session or version');
    return faults.map((fault) => this.#describe(fault));
  }

  #describe(fault: string): string {
    return `Session ${this.sessionId} of ${this.loginId} ${fault}.`;
  }
}
