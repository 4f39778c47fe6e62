import type { DistributedSessionError } from '../../errors/distributed-session.error.js';
import { StorageOutcomeUnknownError, StorageUnavailableError } from '../../errors/storage.errors.js';

/** A failed call to a server, as far as it decides which error its caller receives. */
export interface FailedCall {
  /** Whether the server may have received it. */
  readonly wasSent: boolean;
  /** Whether it changes nothing, so that it does not matter whether it was applied. */
  readonly isReadOnly: boolean;
}

/** The server responds but rejects writes; reads still work. */
export class WriteRefusedError extends StorageUnavailableError {
  /** @param isTemporary - Whether the server rejects the writes of every user, not only those of this one. */
  constructor(
    message: string,
    readonly isTemporary = true,
  ) {
    super(message);
  }
}

/** Returns the error for a call without a reply: the outcome is unknown only for a write that was sent. */
export function withoutReply(
  { wasSent, isReadOnly }: FailedCall,
  server: string,
  unreachable: string,
): DistributedSessionError {
  if (wasSent && !isReadOnly) return new StorageOutcomeUnknownError();
  return new StorageUnavailableError(
    wasSent ? `${server} did not respond in time, or the connection was lost. Try again shortly.` : unreachable,
  );
}
