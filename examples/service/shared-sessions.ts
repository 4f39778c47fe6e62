import type { DistributedSessionManager } from 'nestjs-distributed-session';

/**
 * What the three services use of the manager. Their controllers inject it as `DistributedSessionManager` and get the
 * library's own, or a client of the session service: they cannot tell which.
 */
export type SharedSessions = Pick<
  DistributedSessionManager,
  | 'createSession'
  | 'verifySession'
  | 'setAttribute'
  | 'getSessionsByLoginId'
  | 'getSessionHistory'
  | 'kickOut'
  | 'deleteAllSessions'
>;

/** The token of the sessions as one service may use them: whatever its permissions do not allow is refused. */
export const OWN_SESSIONS = Symbol('the sessions, with the permissions of this service');
