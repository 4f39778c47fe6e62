import { DistributedSessionError } from './distributed-session.error.js';

/** The application is put together wrongly. Thrown at start, with every error at once. */
export class OptionsError extends DistributedSessionError {
  readonly code = 'ERR_OPTIONS';

  constructor(
    title: string,
    /** One entry per error: what is wrong, and what to write instead. */
    readonly errors: readonly string[],
  ) {
    super(`${title}\n${errors.map((error) => `  - ${error}`).join('\n')}`);
  }
}
