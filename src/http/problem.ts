import { STATUS_CODES } from 'node:http';
import { HttpException, HttpStatus } from '@nestjs/common';
import { SessionEndedError } from 'nestjs-distributed-session';

/** An error as a client receives it: problem details (RFC 9457) and the structured fields of its code. */
export interface Problem {
  /** `urn:problem-type:distributed-session:` and the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** A stable code for programs to branch on. */
  readonly code: string;
  readonly requestId?: string;
  readonly [extension: string]: unknown;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The errors of a request itself. The codes are stable: clients branch on them, never on messages. */
export const REQUEST_ERRORS = {
  ERR_REQUEST_INPUT: HttpStatus.BAD_REQUEST,
  ERR_REQUEST_JSON: HttpStatus.BAD_REQUEST,
  ERR_REQUEST_HEADER: HttpStatus.BAD_REQUEST,
  ERR_REQUEST_PATH: HttpStatus.BAD_REQUEST,
  ERR_REQUEST_CROSS_SITE: HttpStatus.FORBIDDEN,
  ERR_ROUTE_NOT_FOUND: HttpStatus.NOT_FOUND,
  ERR_ATTRIBUTE_NOT_FOUND: HttpStatus.NOT_FOUND,
  ERR_METHOD_NOT_ALLOWED: HttpStatus.METHOD_NOT_ALLOWED,
  ERR_REQUEST_TOO_LARGE: HttpStatus.PAYLOAD_TOO_LARGE,
  ERR_REQUEST_CONTENT_TYPE: HttpStatus.UNSUPPORTED_MEDIA_TYPE,
  ERR_IDEMPOTENCY_KEY_REUSED: HttpStatus.UNPROCESSABLE_ENTITY,
  ERR_VERSION_REQUIRED: HttpStatus.PRECONDITION_REQUIRED,
  ERR_TOO_MANY_STREAMS: HttpStatus.SERVICE_UNAVAILABLE,
} as const;

export type RequestErrorCode = keyof typeof REQUEST_ERRORS;

/** One invalid field of a request. */
export interface FieldError {
  /** The path of the field, such as `client.ip`, `limit` or `If-Match`. */
  readonly field: string;
  readonly message: string;
}

/** A request that is rejected before the manager is called. Nothing was read or written. */
export class RequestError extends HttpException {
  constructor(
    readonly code: RequestErrorCode,
    message: string,
    readonly errors: readonly FieldError[] = [],
    status: number = REQUEST_ERRORS[code],
  ) {
    super({ code, message, ...(errors[0] && { field: errors[0].field, errors }) }, status);
  }

  /** Creates the error of a single field. `message` continues the sentence that the field's name begins. */
  static of(code: RequestErrorCode, field: string, message: string): RequestError {
    return new RequestError(code, `${field} ${message}`, [{ field, message: `${field} ${message}` }]);
  }
}

/**
 * Replaces the exceptions of the HTTP server and of Nest by errors with our codes. Their own messages quote the URL or
 * parts of the body, which may contain secrets.
 */
export function toRequestError(exception: HttpException): HttpException {
  const body = exception.getResponse();
  if (typeof body === 'object' && 'code' in body) return exception;
  switch (exception.getStatus()) {
    case 404:
      return new RequestError('ERR_ROUTE_NOT_FOUND', 'The route does not exist. See /docs for the available routes.');
    case 413:
      return new RequestError('ERR_REQUEST_TOO_LARGE', 'The request body exceeds the limit.');
    case 415:
      return RequestError.of('ERR_REQUEST_CONTENT_TYPE', 'Content-Type', 'must be application/json in UTF-8.');
    case 400:
      return badRequest(exception.cause);
    default:
      return exception;
  }
}

function badRequest(cause: unknown): RequestError {
  // An error of our own, as the servers pass it on from their parsers.
  if (cause instanceof RequestError) return cause;
  if (cause instanceof URIError || (cause as { code?: unknown } | undefined)?.code === 'FST_ERR_BAD_URL') {
    return new RequestError('ERR_REQUEST_PATH', 'The path is not valid percent-encoded UTF-8.');
  }
  return RequestError.of('ERR_REQUEST_JSON', 'body', 'is not valid JSON. Send a JSON object.');
}

/** Replaces library messages that name methods by messages that name routes. */
const DETAILS: Readonly<Partial<Record<string, string>>> = {
  ERR_SESSION_CONFLICT:
    'The session has changed since that version. Read it again and repeat the change, or PATCH its attributes, which merges.',
  ERR_SESSION_LIMIT:
    'The user, or this device of the user, has reached the session limit. End a session first. If `permission` is present, a service with it displaces a session.',
  ERR_SERVICE_NOT_FOUND: 'No service with this id is registered. Register it with POST /v1/services.',
  ERR_SERVICE_EXISTS:
    'A service with this id is already registered. Send "replace": true to replace the service and its secrets, or POST /v1/services/{serviceId}/secrets to add a secret.',
  ERR_SERVICE_CONFLICT:
    'The service already has two valid secrets, or was changed at the same time. End a secret with DELETE /v1/services/{serviceId}/secrets/{keyId}, or send "overlapMs": 0 to end both.',
};

/** Returns the problem for an exception whose body has `code` and `message`. */
export function problemOf(exception: HttpException, requestId?: string): Problem {
  const { statusCode, error, code, message, ...fields } = exception.getResponse() as Record<string, unknown>;
  const status = exception.getStatus();
  const { cause } = exception;
  // A service may know by whom a session was ended; the library hides it from a service's own clients.
  const ending = cause instanceof SessionEndedError ? { endedBy: cause.endedBy, rotatedTo: cause.rotatedTo } : {};
  return {
    type: `urn:problem-type:distributed-session:${String(code)}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: DETAILS[String(code)] ?? String(message),
    code: String(code),
    ...fields,
    ...ending,
    ...(requestId !== undefined && { requestId }),
  };
}
