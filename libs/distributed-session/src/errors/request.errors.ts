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

/** A guard cannot judge a call over this transport, such as `rpc`, `ws` or `graphql`, and refuses it. */
export class UnsupportedTransportError extends DistributedSessionError {
  readonly code = 'ERR_TRANSPORT_NOT_SUPPORTED';

  constructor(
    /** What Nest calls the transport (`ExecutionContext.getType()`). */
    readonly transport: string,
  ) {
    super(`Sessions and services are authenticated over HTTP only. A call over "${transport}" is refused.`);
  }
}
