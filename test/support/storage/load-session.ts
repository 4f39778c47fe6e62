import type { StoredSession } from 'nestjs-distributed-session/storage';
import { textOf } from './storage-calls.js';

/** A write of a load, of which nobody but its user writes to the session. Times are those of `performance.now()`. */
export interface LoadWrite {
  readonly operation: 'create' | 'replace' | 'end';
  /** The version of the session after it. */
  readonly version: number;
  /** The word of its result, or the code of its error. */
  readonly outcome: string;
  readonly endedAt: number;
}

const APPLIED = ['created', 'replaced', 'ended'];
const UNKNOWN = 'ERR_STORAGE_OUTCOME_UNKNOWN';

/** Whether a call was told that it has been applied. */
export function isApplied({ outcome }: { readonly outcome: string }): boolean {
  return APPLIED.includes(outcome);
}

/** A session of a load with everything that was written to it, and whatever a read of it may show. */
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

  /** Whether it is live, as far as its user was told. */
  get isLive(): boolean {
    return this.#writes.every(isApplied) && this.#writes.at(-1)?.operation !== 'end';
  }

  /**
   * What no read that was asked at `askedAt` may show: one sentence each. Of what was acknowledged, that counts which
   * was so before `acknowledgedBefore`.
   */
  faultsOf(found: StoredSession | undefined, askedAt = Infinity, acknowledgedBefore = Infinity): string[] {
    const before = Math.min(askedAt, acknowledgedBefore);
    const told = this.#writes.filter((write) => isApplied(write) && write.endedAt < before);
    const possible = this.#writes.filter((write) => isApplied(write) || write.outcome === UNKNOWN);
    const last = told.at(-1);
    if (found === undefined) return last ? [this.#say(`is gone, and had version ${last.version}`)] : [];
    const { state, version } = found;
    const faults: string[] = [];
    if (found.sessionId !== this.sessionId || found.loginId !== this.loginId) faults.push(`is ${found.sessionId}`);
    if (possible.length === 0) faults.push('is there, and was not created');
    if (version < (last?.version ?? 0)) faults.push(`is at ${version} and was at ${last!.version}`);
    if (version > Math.max(0, ...possible.map((write) => write.version))) faults.push(`is at ${version}, by nobody`);
    if (state === 'live' && last?.operation === 'end') faults.push('lives after its end');
    if (state === 'ended' && !possible.some(({ operation }) => operation === 'end')) faults.push('ended by nobody');
    if (state === 'live' && textOf(found.payload) !== this.textAt(version)) faults.push('holds what is not its own');
    return faults.map((fault) => this.#say(fault));
  }

  #say(fault: string): string {
    return `Session ${this.sessionId} of ${this.loginId} ${fault}.`;
  }
}
