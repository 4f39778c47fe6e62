import { HttpStatus } from '@nestjs/common';
import { DistributedSessionError } from '../errors/distributed-session.error.js';
import { retryAfterSeconds, toHttpException } from '../errors/to-http-exception.js';
import type { GuardedRequest } from './guarded-request.js';

/**
 * Converts an error into the exception that a guard throws. Errors whose code is in `unauthorized` become 401 with the
 * challenge that RFC 9110 section 11.6.1 requires. All others keep their usual status, such as 403, 429 or 503.
 */
export function guardRejection(
  error: unknown,
  request: GuardedRequest,
  challenge: string,
  unauthorized: readonly string[],
): unknown {
  if (!(error instanceof DistributedSessionError)) return error;
  const retryAfter = retryAfterSeconds(error);
  if (retryAfter !== undefined) request.setResponseHeader('Retry-After', String(retryAfter));
  const isUnauthorized = unauthorized.includes(error.code) && retryAfter === undefined;
  if (!isUnauthorized) return toHttpException(error);
  request.setResponseHeader('WWW-Authenticate', challenge);
  return toHttpException(error, HttpStatus.UNAUTHORIZED);
}
