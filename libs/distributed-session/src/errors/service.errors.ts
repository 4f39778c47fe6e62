import { DistributedSessionError } from './distributed-session.error.js';
import { shownName } from '../model/shown-name.js';
import { inputMessage } from './input-message.js';

/** The service is not registered. A failed verification never throws this error, so that ids cannot be enumerated. */
export class ServiceNotFoundError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_NOT_FOUND';

  /** The id; `…` if it may be a secret in the wrong place. */
  readonly serviceId: string;

  constructor(serviceId: string) {
    const shown = shownName(serviceId);
    super(`Service '${shown}' is not registered. Register it with registerService().`);
    this.serviceId = shown;
  }
}

/** The service id is already registered. The registered service is unchanged. */
export class ServiceExistsError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_EXISTS';

  constructor(readonly serviceId: string) {
    super(
      `Service '${serviceId}' is already registered. Pass { replace: true } to replace it and its secrets, ` +
        'or call rotateServiceSecret() to give it a new secret.',
    );
  }
}

/** The change conflicts with the service's current state, such as a third secret. Nothing was written. */
export class ServiceConflictError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_CONFLICT';

  constructor(
    readonly serviceId: string,
    message = `Service '${serviceId}' was changed concurrently. Read it again and repeat the change.`,
  ) {
    super(message);
  }
}

/** An argument about a service is invalid. Nothing was written. */
export class ServiceInputError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_INPUT';
  /** The invalid argument, such as `serviceId` or `permissions[1]`; `…` for a name that may be a secret. */
  readonly field: string;

  constructor(
    field: string,
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

/**
 * The service is not authenticated. The error is the same for an unknown service and for a wrong, ended or malformed
 * secret, so that ids cannot be enumerated (ASVS 6.3.8). Only inside the process, its `cause` tells a misconfiguration
 * from a wrong secret: a `KeyUnavailableError` if the service's secrets are stored under a pepper that this process does
 * not have, which is also logged.
 */
export class ServiceAuthenticationError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_AUTHENTICATION';

  constructor(
    /** Time until the source may try again, in milliseconds. Absent if it is not throttled. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(
      retryAfterMs === undefined
        ? 'The service id and secret do not match a registered service.'
        : `Too many failed attempts. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
      options,
    );
  }
}

/** The service is authenticated but lacks a permission. Nothing was written. */
export class ServicePermissionError extends DistributedSessionError {
  readonly code = 'ERR_SERVICE_PERMISSION';

  /** The missing permission, such as `session.write:order.total`; `…` for a part that may be a secret. */
  readonly permission: string;

  constructor(
    readonly serviceId: string,
    permission: string,
    message?: string,
  ) {
    const missing = shownName(permission);
    super(message ?? `Service '${serviceId}' lacks the permission '${missing}'.`);
    this.permission = missing;
  }
}
