import { HttpStatus } from '@nestjs/common';
import { DistributedSessionError } from '../errors/distributed-session.error.js';
import { retryAfterSeconds, toHttpException } from '../errors/to-http-exception.js';
import type { GuardedRequest } from './guarded-request.js';

/**
 * What a guard throws for an error. Errors whose code is in `unauthorized` say that the caller is not proven: 401, with
 * the challenge that RFC 9110 section 11.6.1 asks for. All others have their usual status: 403, 429, 503.
 */
export function guardRefusal(
  error: unknown,
  request: GuardedRequest,
  challenge: string,
  unauthorized: readonly string[],
): unknown {
  if (!(error instanceof DistributedSessionError)) return error;
  const retryAfter = retryAfterSeconds(error);
  if (retryAfter !== undefined) request.setResponseHeader('Retry-After', String(retryAfter));
  request.setResponseHeader('Cache-Control', 'no-store');
  const isUnproven = unauthorized.includes(error.code) && retryAfter === undefined;
  if (!isUnproven) return toHttpException(error);
  request.setResponseHeader('WWW-Authenticate', challenge);
  return toHttpException(error, HttpStatus.UNAUTHORIZED);
}
