import type { DistributedSessionManager } from 'nestjs-distributed-session';

/** The credential of a service. An operator registered the service and passed on its secret. */
export interface ServiceIdentity {
  readonly serviceId: string;
  readonly secret: string;
}

/**
 * The manager's methods that the three services use. Their controllers inject them as `DistributedSessionManager` and
 * work with the library's manager or with a client of the session service.
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

/** Injection token of the sessions with one service's permissions enforced. */
export const OWN_SESSIONS = Symbol('the sessions, with the permissions of this service');
