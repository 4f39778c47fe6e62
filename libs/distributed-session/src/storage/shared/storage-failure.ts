import type { DistributedSessionError } from '../../errors/distributed-session.error.js';
import { SessionInputError } from '../../errors/session.errors.js';
import {
  StorageCorruptError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from '../../errors/storage.errors.js';

/** A failed call to a server, as far as it decides which error its caller receives. */
export interface FailedCall {
  /** Whether the server may have received it. */
  readonly wasSent: boolean;
  /** Whether it changes nothing, so that it does not matter whether it was applied. */
  readonly isReadOnly: boolean;
}

/** The server responds but rejects writes; reads still work. */
export class WriteRejectedError extends StorageUnavailableError {
  /** @param isTemporary - Whether the server rejects the writes of every user, not only those of this one. */
  constructor(
    message: string,
    readonly isTemporary = true,
  ) {
    super(message);
  }
}

/**
 * Returns the error for a call without a reply: the outcome is unknown only for a write that was sent.
 *
 * @param reason - The code of a failed connection in parentheses, or an empty text.
 */
export function withoutReply(
  { wasSent, isReadOnly }: FailedCall,
  server: string,
  reason = '',
): DistributedSessionError {
  if (wasSent && !isReadOnly) return new StorageOutcomeUnknownError();
  if (!wasSent) return unreachable(server, reason);
  return new StorageUnavailableError(
    `${server} did not respond in time, or the connection was lost. Try again shortly.`,
  );
}

/** Returns the error for a call to a storage that is closed. */
export function closedStorage(name: string): StorageUnavailableError {
  return new StorageUnavailableError(`The ${name} session storage is closed. Connect it first.`);
}

/** Returns the error for a server without a connection. The reason is as in {@link withoutReply}. */
export function unreachable(server: string, reason = ''): StorageUnavailableError {
  return new StorageUnavailableError(
    `${server} cannot be reached${reason}. Check the address, and that the server is running.`,
  );
}

/** Returns the error for a reply that belongs to another request, which must never be returned as data (CWE-488). */
export function otherSession(server: string, sessionId: string): StorageCorruptError {
  return new StorageCorruptError(`${server} returned a session other than the requested ${sessionId}.`);
}

/** Returns the error for a cursor that `listLogins()` did not return. */
export function invalidCursor(): SessionInputError {
  const requirement = 'must be the nextCursor of the previous page. Omit it to start over.';
  return new SessionInputError('cursor', 'format', requirement);
}

/** The warning at a start as a user who may not write. */
export function readOnlyUser(server: string): string {
  return `The ${server} user has read-only access: sessions can be read, but not created or changed.`;
}
