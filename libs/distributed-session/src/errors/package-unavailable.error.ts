import { DistributedSessionError } from './distributed-session.error.js';

/** A package that is needed only for this call is not installed, or not for this platform. */
export class PackageUnavailableError extends DistributedSessionError {
  readonly code = 'ERR_PACKAGE_UNAVAILABLE';

  constructor(
    /** The name of the package, such as `@node-rs/argon2`. */
    readonly packageName: string,
    /** Sentences that state which feature requires the package and how to install it. */
    explanation: string,
    options?: ErrorOptions,
  ) {
    super(`The package ${packageName} cannot be loaded. ${explanation}`, options);
  }
}
