import { DistributedSessionError } from './distributed-session.error.js';

/** The application is put together wrongly. Thrown at start, with every fault at once. */
export class OptionsError extends DistributedSessionError {
  readonly code = 'ERR_OPTIONS';

  constructor(
    title: string,
    /** One sentence a fault: what is wrong, and what to write instead. */
    readonly faults: readonly string[],
  ) {
    super(`${title}\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}
