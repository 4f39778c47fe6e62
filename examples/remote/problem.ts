import {
  type DistributedSessionError,
  ServicePermissionError,
  SessionEndedError,
  type SessionEnding,
  type SessionInputConstraint,
  SessionInputError,
  SessionLimitError,
  SessionNotFoundError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from 'nestjs-distributed-session';

/** Problem details (RFC 9457), as the session service returns them. Programs branch on `code`. */
export type Problem = { readonly status: number; readonly detail: string } & (
  | { readonly code: 'ERR_SESSION_NOT_FOUND' | 'ERR_STORAGE_OUTCOME_UNKNOWN' }
  | ({ readonly code: 'ERR_SESSION_ENDED' } & SessionEnding)
  | { readonly code: 'ERR_SESSION_LIMIT'; readonly limit: number; readonly device?: string }
  | InputProblem
  | { readonly code: 'ERR_SERVICE_PERMISSION'; readonly permission: string }
);

interface InputProblem {
  readonly code: 'ERR_SESSION_INPUT' | 'ERR_REQUEST_INPUT';
  readonly field: string;
  readonly constraint?: SessionInputConstraint;
  readonly limit?: number;
}

/** The subject of the failed request. */
export interface ProblemSubject {
  readonly serviceId: string;
  readonly sessionId?: string;
}

/**
 * Converts a problem into the error that the library itself would have thrown, so that guards and filters respond in
 * the same way. Other problems, such as a rejected service credential, are not the user's fault: to the user, the
 * sessions are unavailable.
 */
export function toLibraryError(
  problem: Problem,
  { serviceId, sessionId = '' }: ProblemSubject,
): DistributedSessionError {
  const { status, code, detail } = problem;
  switch (problem.code) {
    case 'ERR_SESSION_NOT_FOUND':
      return new SessionNotFoundError(sessionId);
    case 'ERR_SESSION_ENDED':
      return new SessionEndedError(sessionId, problem);
    case 'ERR_SESSION_LIMIT':
      return new SessionLimitError(problem.limit, problem.device);
    case 'ERR_SESSION_INPUT':
    case 'ERR_REQUEST_INPUT': {
      const { field, constraint = 'format', limit } = problem;
      return new SessionInputError(field, constraint, detail.replace(`${field} `, ''), limit);
    }
    case 'ERR_SERVICE_PERMISSION':
      return new ServicePermissionError(serviceId, problem.permission);
    case 'ERR_STORAGE_OUTCOME_UNKNOWN':
      return new StorageOutcomeUnknownError();
    default:
      return new StorageUnavailableError(`The session service answered ${status} ${code}.`);
  }
}
