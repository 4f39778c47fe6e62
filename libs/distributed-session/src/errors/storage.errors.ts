import { DistributedSessionError } from './distributed-session.error.js';

/** The storage cannot be reached or did not answer in time, and the call was not applied. */
export class StorageUnavailableError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_UNAVAILABLE';

  constructor(message = 'The session storage is unavailable. Try again shortly.', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The reply was lost: the write may or may not have been applied. Read before repeating it. */
export class StorageOutcomeUnknownError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_OUTCOME_UNKNOWN';

  constructor(
    message = 'The reply of the session storage was lost; the write may or may not have been applied.',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the storage holds, or answered, is not a session of this library. It is never treated as data. */
export class StorageCorruptError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_CORRUPT';
}

/** The storage holds as much as it may. Reads and endings still work; nothing was created. */
export class StorageFullError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_FULL';

  constructor(readonly limit: number) {
    super(`The session storage holds its maximum of ${limit} records. Raise the bound, or end sessions first.`);
  }
}

/** The key that a record is encrypted with is not in this process's key ring: neither corruption nor absence. */
export class KeyUnavailableError extends DistributedSessionError {
  readonly code = 'ERR_KEY_UNAVAILABLE';

  constructor(readonly keyId: string) {
    super(`The key '${keyId}' of a record is not in the key ring of this process. Publish it here before using it.`);
  }
}
