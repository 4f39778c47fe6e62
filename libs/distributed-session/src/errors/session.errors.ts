import type { EndReason } from '../model/end-reason.js';
import { DistributedSessionError } from './distributed-session.error.js';

/** No such session: it never was, its history is past, or the credential does not prove it. */
export class SessionNotFoundError extends DistributedSessionError {
  readonly code: 'ERR_SESSION_NOT_FOUND' | 'ERR_SESSION_ENDED' = 'ERR_SESSION_NOT_FOUND';

  constructor(
    readonly sessionId: string,
    message = `No session ${sessionId}. It may never have existed, or have ended longer ago than its history is kept.`,
  ) {
    super(message);
  }
}

/** How and when a session ended, as {@link SessionEndedError} tells it. */
export interface SessionEnding {
  readonly reason: EndReason;
  /** When it ended, in epoch milliseconds. */
  readonly endedAt: number;
  /** The service that ended it, or `@expiry`. */
  readonly endedBy: string;
  /** The session that took its place, when it was rotated. */
  readonly rotatedTo?: string;
}

/** The session has ended, and it is known why: a {@link SessionNotFoundError} that can tell the user what happened. */
export class SessionEndedError extends SessionNotFoundError implements SessionEnding {
  override readonly code = 'ERR_SESSION_ENDED';
  readonly reason: EndReason;
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

/** The session was changed by someone else since it was read. Nothing was written. */
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

/** The user has as many sessions as the limit admits, and the policy is to reject. Nothing was created. */
export class SessionLimitError extends DistributedSessionError {
  readonly code = 'ERR_SESSION_LIMIT';

  constructor(
    readonly limit: number,
    /** The device whose own limit was met; absent when it was the limit per login. */
    readonly device?: string,
  ) {
    const scope = device === undefined ? 'this login' : 'this device of the login';
    super(`The limit of ${limit} sessions for ${scope} is reached. End one first, or use onLimit: 'end-oldest'.`);
  }
}

/** Which bound an input broke. One name per bound, so that callers can tell them apart. */
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
  | 'attributes-total-size';

/** An argument is not acceptable. Nothing was read or written. */
export class SessionInputError extends DistributedSessionError {
  readonly code = 'ERR_SESSION_INPUT';

  constructor(
    /** The argument at fault, such as `loginId` or `attributes.cart.items[2]`. */
    readonly field: string,
    readonly constraint: SessionInputConstraint,
    expectation: string,
    /** The bound that was broken, where it is a number. */
    readonly limit?: number,
  ) {
    super(`${field} ${expectation}`);
  }
}
