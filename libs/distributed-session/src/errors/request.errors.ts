import { DistributedSessionError } from './distributed-session.error.js';

/** The headers of a request are ambiguous or incomplete, so that no guard can judge it. */
export class RequestHeaderError extends DistributedSessionError {
  readonly code = 'ERR_REQUEST_HEADER';

  constructor(
    message: string,
    /** The maximum number of headers, if the request has too many (431). */
    readonly limit?: number,
  ) {
    super(message);
  }
}
