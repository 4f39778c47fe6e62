import { DistributedSessionError } from './distributed-session.error.js';

/** The storage could not be reached or did not answer in time. The call was not applied. */
export class StorageUnavailableError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_UNAVAILABLE';

  constructor(message = 'The session storage is unavailable. Try again shortly.', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The storage's reply was lost. The write may have been applied: read the current state before you repeat it. */
export class StorageOutcomeUnknownError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_OUTCOME_UNKNOWN';

  constructor(
    message = "The session storage's reply was lost; the write may have been applied. Read the current state before you repeat it.",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The stored data, or the storage's answer, is not a valid session or service of this library. It is not used. */
export class StorageCorruptError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_CORRUPT';
}

/**
 * A later release wrote the stored record, in a format that this release cannot read. The record is intact, and nothing was
 * changed: an instance of the later release reads it. A list shows such a session as unreadable, and it can be ended.
 */
export class StorageNewerFormatError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_NEWER_FORMAT';

  constructor(
    /** What the record is, such as `Session <id>`. */
    what: string,
  ) {
    super(
      `${what} was written by a later release, in a format that this release cannot read. Upgrade to that release, or repeat ` +
        'the call on an instance that runs it.',
    );
  }
}

/** The storage is full. Nothing was created. Reading and ending sessions still works. */
export class StorageFullError extends DistributedSessionError {
  readonly code = 'ERR_STORAGE_FULL';

  constructor(
    /** The maximum number of records. */
    readonly limit: number,
  ) {
    super(`The session storage has reached its limit of ${limit} records. Raise the limit, or end sessions first.`);
  }
}

/** This process does not have the key of a stored record, or of its token digest. The record is neither corrupt nor missing. */
export class KeyUnavailableError extends DistributedSessionError {
  readonly code = 'ERR_KEY_UNAVAILABLE';

  constructor(
    /** The id of the key. */
    readonly keyId: string,
    message = `The key '${keyId}' of a stored record is not in this process's key ring. ` +
      'Add a key to every process before one of them writes with it.',
  ) {
    super(message);
  }
}
