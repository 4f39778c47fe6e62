import { DistributedSessionError } from './distributed-session.error.js';

/** No service is registered under this id. Never the answer to a failed verification: that tells nothing. */
export class ServiceNotFoundError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_NOT_FOUND';

  constructor(readonly serviceId: string) {
    super(`No service '${serviceId}' is registered. Register it with registerService().`);
  }
}

/** The id is taken. The registered service is unchanged. */
export class ServiceExistsError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_EXISTS';

  constructor(readonly serviceId: string) {
    super(
      `A service '${serviceId}' is registered already. Pass { replace: true } to replace it and its secrets, ` +
        'or rotateServiceSecret() to give it a new secret.',
    );
  }
}

/** The service was changed by someone else at the same time, again and again. Nothing was written. */
export class ServiceConflictError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_CONFLICT';

  constructor(
    readonly serviceId: string,
    message = `Service '${serviceId}' was changed by someone else meanwhile. Read it again and repeat the change.`,
  ) {
    super(message);
  }
}

/** An argument about a service is not acceptable. Nothing was written. */
export class ServiceInputError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_INPUT';

  constructor(
    /** The argument at fault, such as `serviceId` or `permissions[1]`. */
    readonly field: string,
    expectation: string,
    readonly limit?: number,
  ) {
    super(`${field} ${expectation}`);
  }
}

/**
 * The service did not prove who it is. One answer for an unknown service, a wrong secret, an ended secret and a
 * malformed one (ASVS 6.3.8: no enumeration).
 */
export class ServiceAuthenticationError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_AUTHENTICATION';

  constructor(
    /** How long this source is refused without a look at its secret, in milliseconds. Absent when it is not throttled. */
    readonly retryAfterMs?: number,
  ) {
    super(
      retryAfterMs === undefined
        ? 'The service id and secret do not match a registered service.'
        : `Too many failed attempts. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    );
  }
}

/** The service is who it says, and may not do this. Nothing was done. */
export class ServicePermissionError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_PERMISSION';

  constructor(
    readonly serviceId: string,
    /** The permission that is missing, such as `session.write:order.total`. */
    readonly permission: string,
  ) {
    super(`Service '${serviceId}' lacks the permission '${permission}'.`);
  }
}
