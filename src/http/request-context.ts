import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';

/** Data of a request for its log line, metrics and problem. */
export interface RequestContext {
  /** Identifies the request in the log and in the response: the client's own `X-Request-Id`, or a new one. */
  readonly requestId: string;
  readonly startedAt: number;
  /** The name of the route's handler, such as `createSession`. Absent until a route matches. */
  operation?: string;
  /** The calling service, once it is authenticated. */
  serviceId?: string;
  /** The code of the problem in the response. */
  code?: string;
}

/** A request whose response was sent, or whose connection was closed before. */
export interface CompletedRequest extends RequestContext {
  readonly method: string;
  /** The status that was sent; 499 if the client disconnected first. */
  readonly status: number;
  readonly milliseconds: number;
}

/** A middleware on Node's requests and responses, for both adapters. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

const CONTEXT = Symbol('request context');
const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** Servers log this status, but never send it, when the client closes the connection first. */
const CLIENT_CLOSED = 499;

type Contextual = IncomingMessage & { [CONTEXT]?: RequestContext };
/** A request of Node or Express, or of Fastify. */
export type AnyRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** Gives every request an id, which the response repeats in `X-Request-Id`, and calls `onCompleted` when it is complete. */
export function requestContext(onCompleted: (request: CompletedRequest) => void): Middleware {
  return (request, response, next) => {
    const requestId = requestIdOf(request);
    const context: RequestContext = { requestId, startedAt: performance.now() };
    (request as Contextual)[CONTEXT] = context;
    response.setHeader('X-Request-Id', requestId);
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : CLIENT_CLOSED;
      const milliseconds = performance.now() - context.startedAt;
      onCompleted({ ...context, method: request.method ?? '', status, milliseconds });
    });
    next();
  };
}

/** Returns the context of a request of Node, Express or Fastify, or `undefined` if no middleware ran. */
export function contextOf(request: AnyRequest): RequestContext | undefined {
  return (rawRequest(request) as Contextual)[CONTEXT];
}

/** Returns Node's request: Express passes it on, Fastify wraps it as `raw`. */
export function rawRequest(request: AnyRequest): IncomingMessage {
  return 'raw' in request ? request.raw : request;
}

/** Returns the client's own request id if it is valid, or a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
