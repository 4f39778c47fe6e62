import { HttpException, HttpStatus } from '@nestjs/common';
import type { AnyDistributedSessionError } from './any-distributed-session.error.js';
import type { DistributedSessionError, DistributedSessionErrorCode } from './distributed-session.error.js';

/** RFC 6585 section 5; Nest has no name for it. */
const HEADERS_TOO_LARGE = 431 as HttpStatus;

const STATUS: Readonly<Record<DistributedSessionErrorCode, HttpStatus>> = {
  ERR_OPTIONS: HttpStatus.INTERNAL_SERVER_ERROR,
  ERR_PACKAGE_UNAVAILABLE: HttpStatus.INTERNAL_SERVER_ERROR,
  ERR_REQUEST_HEADER: HttpStatus.BAD_REQUEST,
  ERR_TRANSPORT_NOT_SUPPORTED: HttpStatus.FORBIDDEN,
  ERR_SESSION_MISSING: HttpStatus.UNAUTHORIZED,
  ERR_SESSION_NOT_FOUND: HttpStatus.NOT_FOUND,
  ERR_SESSION_ENDED: HttpStatus.GONE,
  ERR_SESSION_CONFLICT: HttpStatus.CONFLICT,
  ERR_SESSION_LIMIT: HttpStatus.CONFLICT,
  ERR_SESSION_INPUT: HttpStatus.BAD_REQUEST,
  ERR_SERVICE_NOT_FOUND: HttpStatus.NOT_FOUND,
  ERR_SERVICE_EXISTS: HttpStatus.CONFLICT,
  ERR_SERVICE_CONFLICT: HttpStatus.CONFLICT,
  ERR_SERVICE_INPUT: HttpStatus.BAD_REQUEST,
  ERR_SERVICE_AUTHENTICATION: HttpStatus.UNAUTHORIZED,
  ERR_SERVICE_PERMISSION: HttpStatus.FORBIDDEN,
  ERR_STORAGE_UNAVAILABLE: HttpStatus.SERVICE_UNAVAILABLE,
  ERR_STORAGE_OUTCOME_UNKNOWN: HttpStatus.SERVICE_UNAVAILABLE,
  ERR_STORAGE_CORRUPT: HttpStatus.INTERNAL_SERVER_ERROR,
  ERR_STORAGE_NEWER_FORMAT: HttpStatus.SERVICE_UNAVAILABLE,
  ERR_STORAGE_FULL: HttpStatus.SERVICE_UNAVAILABLE,
  ERR_KEY_UNAVAILABLE: HttpStatus.SERVICE_UNAVAILABLE,
};

/**
 * Converts an error into an HTTP exception whose body contains the code, the message and the fields that a client needs.
 *
 * @param status - Overrides the usual status of the error, as a guard does that responds with 401 instead of 404.
 *
 * @example
 * if (error instanceof DistributedSessionError) throw toHttpException(error);
 */
export function toHttpException(error: DistributedSessionError, status: HttpStatus = statusOf(error)): HttpException {
  const { code, message } = error;
  const body = { statusCode: status, code, message, ...fieldsOf(error as AnyDistributedSessionError) };
  return new HttpException(body, status, { cause: error });
}

/**
 * Returns the number of seconds after which a client may retry (`Retry-After`), or `undefined` if retrying does not help.
 *
 * @example
 * const seconds = error instanceof DistributedSessionError ? retryAfterSeconds(error) : undefined;
 * if (seconds !== undefined) response.setHeader('Retry-After', String(seconds));
 */
export function retryAfterSeconds(error: DistributedSessionError): number | undefined {
  const known = error as AnyDistributedSessionError;
  if (known.code === 'ERR_SERVICE_AUTHENTICATION') {
    return known.retryAfterMs === undefined ? undefined : Math.ceil(known.retryAfterMs / 1_000);
  }
  return STATUS[error.code] === HttpStatus.SERVICE_UNAVAILABLE ? 1 : undefined;
}

function statusOf(error: DistributedSessionError): HttpStatus {
  const known = error as AnyDistributedSessionError;
  if (known.code === 'ERR_SERVICE_AUTHENTICATION' && known.retryAfterMs !== undefined) {
    return HttpStatus.TOO_MANY_REQUESTS;
  }
  const hasTooMany = known.code === 'ERR_REQUEST_HEADER' && known.limit !== undefined;
  return hasTooMany ? HEADERS_TOO_LARGE : STATUS[error.code];
}

function fieldsOf(error: AnyDistributedSessionError): Record<string, unknown> {
  switch (error.code) {
    case 'ERR_REQUEST_HEADER':
      return { limit: error.limit };
    case 'ERR_TRANSPORT_NOT_SUPPORTED':
      return { transport: error.transport };
    case 'ERR_SESSION_ENDED':
      return { reason: error.reason, endedAt: error.endedAt };
    case 'ERR_SESSION_INPUT':
      return { field: error.field, constraint: error.constraint, limit: error.limit };
    case 'ERR_SESSION_CONFLICT':
      return { currentVersion: error.currentVersion };
    case 'ERR_SESSION_LIMIT':
      return { limit: error.limit, device: error.device, permission: error.permission };
    case 'ERR_SERVICE_INPUT':
      return { field: error.field, limit: error.limit };
    case 'ERR_SERVICE_PERMISSION':
      return { permission: error.permission };
    default:
      return {};
  }
}
