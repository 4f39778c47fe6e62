import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { type Middleware, type RequestContext, attachContext } from './request-context.js';

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** How a request ended: with its answer, or with its connection before that. */
export interface SettledRequest extends RequestContext {
  readonly method: string;
  /** The status that was sent; 499 when the client went away before. */
  readonly status: number;
  readonly milliseconds: number;
}

/** 499 is what servers log, and never send, when the client closes first. */
const CLIENT_CLOSED = 499;

/** Names every request, in `X-Request-Id` of the answer too, and tells `settled` how it ended. */
export function requestContext(settled: (request: SettledRequest) => void): Middleware {
  return (request, response, next) => {
    const requestId = requestIdOf(request);
    const context: RequestContext = { requestId, startedAt: performance.now() };
    attachContext(request, context);
    response.setHeader('X-Request-Id', requestId);
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : CLIENT_CLOSED;
      const milliseconds = performance.now() - context.startedAt;
      settled({ ...context, method: request.method ?? '', status, milliseconds });
    });
    next();
  };
}

/** The client's own name of a request, where it is a good one, or a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
