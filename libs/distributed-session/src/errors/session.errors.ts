import type { RecordedEndReason } from '../model/end-reason.js';
import { DistributedSessionError } from './distributed-session.error.js';
import { shownName } from '../model/shown-name.js';
import { inputMessage } from './input-message.js';

/** The session does not exist, its history has expired, or the credential is wrong. */
export class SessionNotFoundError extends DistributedSessionError {
  readonly code: 'ERR_SESSION_NOT_FOUND' | 'ERR_SESSION_ENDED' = 'ERR_SESSION_NOT_FOUND';

  constructor(
    readonly sessionId: string,
    message = `Session ${sessionId} was not found. It may never have existed, or its history may have expired.`,
  ) {
    super(message);
  }
}

/**
 * The request has no session credential: the user is not logged in. A credential that is present but malformed is a
 * {@link SessionInputError}.
 *
 * @example
 * if (error instanceof SessionMissingError) redirectTo('/login');
 */
export class SessionMissingError extends DistributedSessionError {
  readonly code = 'ERR_SESSION_MISSING';

  constructor(message = 'The request has no session credential. Log in to get one.') {
    super(message);
  }
}

/** How and when a session ended. */
export interface SessionEnding {
  readonly reason: RecordedEndReason;
  /** The time when it ended, in epoch milliseconds. */
  readonly endedAt: number;
  /** The id of the service that ended it, or `@expiry`. */
  readonly endedBy: string;
  /** The id of the session that continues it, if the reason is `rotated`. */
  readonly rotatedTo?: string;
}

/**
 * The session has ended, for the given `reason`. A subclass of {@link SessionNotFoundError}.
 *
 * @example
 * if (error instanceof SessionEndedError && error.reason === 'kicked-out') redirectTo('/signed-out-by-an-administrator');
 */
export class SessionEndedError extends SessionNotFoundError implements SessionEnding {
  override readonly code = 'ERR_SESSION_ENDED';
  readonly reason: RecordedEndReason;
  readonly endedAt: number;
  readonly endedBy: string;
  readonly rotatedTo?: string;

  constructor(sessionId: string, ending: SessionEnding) {
    super(sessionId, `Session ${sessionId} has ended (${ending.reason}). Log in again to get a new one.`);
    this.reason = ending.reason;
    this.endedAt = ending.endedAt;
    this.endedBy = ending.endedBy;
    if (ending.rotatedTo !== undefined) this.rotatedTo = ending.rotatedTo;
  }
}

/** The session was changed after it was read. Nothing was written. */
export class SessionConflictError extends DistributedSessionError {
  readonly code = 'ERR_SESSION_CONFLICT';

  constructor(
    readonly sessionId: string,
    readonly expectedVersion: number,
    readonly currentVersion: number,
  ) {
    super(
      `Session ${sessionId} is at version ${currentVersion}, not ${expectedVersion}. ` +
        'Read it again and repeat the change, or use setAttributes(), which merges.',
    );
  }
}

/**
 * The user has reached the session limit, and `onLimit` is `reject` or the service may not end another session.
 * Nothing was created.
 */
export class SessionLimitError extends DistributedSessionError {
  readonly code = 'ERR_SESSION_LIMIT';

  constructor(
    readonly limit: number,
    /** The device label whose own limit was reached. Absent for the limit per user. */
    readonly device?: string,
    /** The permission that the service lacks to end another session. Absent if `onLimit` is `reject`. */
    readonly permission?: string,
  ) {
    const owner = device === undefined ? 'The user' : "The user's device";
    const remedy =
      permission === undefined ? "set onLimit: 'end-oldest' or 'end-idlest'" : `grant the service '${permission}'`;
    super(`${owner} has reached the limit of ${limit} sessions. End one first, or ${remedy} to displace one.`);
  }
}

/** The rule that an argument broke: one name per rule, for programs that distinguish them. */
export type SessionInputConstraint =
  | 'format'
  | 'type'
  | 'empty'
  | 'length'
  | 'range'
  | 'immutable'
  | 'unknown-field'
  | 'attribute-key'
  | 'attribute-key-length'
  | 'attribute-value'
  | 'attribute-depth'
  | 'attribute-value-size'
  | 'attribute-count'
  | 'attributes-total-size'
  | 'attribute-share-count'
  | 'attribute-share-size';

/** An argument about a session is invalid. Nothing was read or written. */
export class SessionInputError extends DistributedSessionError {
  readonly code = 'ERR_SESSION_INPUT';
  /** The invalid argument, such as `loginId` or `attributes.cart.items[2]`; `…` for a name that may be a secret. */
  readonly field: string;

  constructor(
    field: string,
    readonly constraint: SessionInputConstraint,
    /** Follows the field in the message, such as `must be a string.`, unless it begins with a capital letter. */
    expectation: string,
    /** The limit that was exceeded, if it is a number. */
    readonly limit?: number,
  ) {
    const shown = shownName(field);
    super(inputMessage(shown, expectation));
    this.field = shown;
  }
}
