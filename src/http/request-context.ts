import type { IncomingMessage, ServerResponse } from 'node:http';

/** What is known of a request beside what it says, for its log line, its metrics and its problem. */
export interface RequestContext {
  /** Names the request in the log and in the answer: the client's own `X-Request-Id`, or a new one. */
  readonly requestId: string;
  readonly startedAt: number;
  /** The name of the route's handler, such as `createSession`; absent until a route was found. */
  operation?: string;
  /** The service that calls, once it is proven. */
  serviceId?: string;
  /** The code of the problem that was answered. */
  code?: string;
}

const CONTEXT = Symbol('request context');

type Contextual = IncomingMessage & { [CONTEXT]?: RequestContext };

export function attachContext(request: IncomingMessage, context: RequestContext): void {
  (request as Contextual)[CONTEXT] = context;
}

/** The context of a request, given as Node, Express or Fastify has it; `undefined` where no middleware ran. */
export function contextOf(request: IncomingMessage | { readonly raw: IncomingMessage }): RequestContext | undefined {
  return (rawRequest(request) as Contextual)[CONTEXT];
}

/** Express has the Node request itself, Fastify has it as `raw`. */
export function rawRequest(request: IncomingMessage | { readonly raw: IncomingMessage }): IncomingMessage {
  return 'raw' in request ? request.raw : request;
}

/** A middleware as both adapters take it: on the requests and responses of Node. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;
