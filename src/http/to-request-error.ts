import type { HttpException } from '@nestjs/common';
import { RequestError } from './request.error.js';

/**
 * What the HTTP server and the framework refuse, in our words and with our codes. Their own messages repeat the URL or
 * parts of the body, which may hold what no answer and no log line may.
 */
export function toRequestError(exception: HttpException): HttpException {
  const body = exception.getResponse();
  if (typeof body === 'object' && 'code' in body) return exception;
  switch (exception.getStatus()) {
    case 404:
      return new RequestError('ERR_ROUTE_NOT_FOUND', 'There is no such route. /docs lists those that there are.');
    case 413:
      return new RequestError('ERR_REQUEST_TOO_LARGE', 'The request body is larger than this service takes.');
    case 415:
      return RequestError.of('ERR_REQUEST_CONTENT_TYPE', 'Content-Type', 'must be application/json, in UTF-8.');
    case 400:
      return badRequest(exception.cause);
    default:
      return exception;
  }
}

function badRequest(cause: unknown): RequestError {
  if (cause instanceof URIError || (cause as { code?: unknown } | undefined)?.code === 'FST_ERR_BAD_URL') {
    return new RequestError('ERR_REQUEST_PATH', 'The path is not well percent-encoded UTF-8.');
  }
  return RequestError.of('ERR_REQUEST_JSON', 'body', 'is not well-formed JSON: an object is expected.');
}
