import { DistributedSessionError } from './distributed-session.error.js';

/**
 * The application is misconfigured. Thrown at startup, with every error at once.
 *
 * @example
 * if (error instanceof OptionsError) error.errors.forEach((line) => console.error(line));
 */
export class OptionsError extends DistributedSessionError {
  readonly code = 'ERR_OPTIONS';

  constructor(
    title: string,
    /** One entry per error: what is wrong, and how to fix it. */
    readonly errors: readonly string[],
  ) {
    super(`${title}\n${errors.map((error) => `  - ${error}`).join('\n')}`);
  }
}
