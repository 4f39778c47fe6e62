import { HttpException, HttpStatus } from '@nestjs/common';

/** What can be wrong with a request itself. Codes are stable: clients branch on them, never on messages. */
export const REQUEST_ERRORS = {
  ERR_REQUEST_INPUT: HttpStatus.BAD_REQUEST,
  ERR_REQUEST_JSON: HttpStatus.BAD_REQUEST,
  ERR_REQUEST_HEADER: HttpStatus.BAD_REQUEST,
  ERR_REQUEST_PATH: HttpStatus.BAD_REQUEST,
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

/** One thing that is wrong with the input. */
export interface InputFault {
  /** Where, such as `client.ip`, `limit` or `If-Match`. */
  readonly field: string;
  readonly message: string;
}

/** A request that is refused before the sessions are asked. Nothing was read or written. */
export class RequestError extends HttpException {
  constructor(
    readonly code: RequestErrorCode,
    message: string,
    readonly faults: readonly InputFault[] = [],
  ) {
    super({ code, message, ...(faults[0] && { field: faults[0].field, errors: faults }) }, REQUEST_ERRORS[code]);
  }

  /** A refusal that is about one field. */
  static of(code: RequestErrorCode, field: string, message: string): RequestError {
    return new RequestError(code, `${field} ${message}`, [{ field, message: `${field} ${message}` }]);
  }
}
