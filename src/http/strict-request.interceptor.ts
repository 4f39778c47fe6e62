import type { IncomingMessage } from 'node:http';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { RequestError } from './request.error.js';

/** Where Nest keeps what the parameters of a handler take, each key beginning with the number of its kind. */
const ROUTE_ARGUMENTS = '__routeArguments__';
const BODY = '3';
const QUERY = '4';
/** Deeper than attributes may be. What walks a body recursively later must not go as deep as a client likes. */
const MAX_DEPTH = 64;

interface ParsedRequest extends IncomingMessage {
  readonly body?: unknown;
  readonly query?: object;
}

/**
 * Refuses a query or a body where the route takes none, since what has no effect must not look as if it had, and bodies
 * that are nested too deep. Runs before the pipes and the other interceptors.
 */
@Injectable()
export class StrictRequestInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { body, query = {} } = context.switchToHttp().getRequest<ParsedRequest>();
    const taken = kindsTaken(context);
    const [parameter] = Object.keys(query);
    if (parameter !== undefined && !taken.has(QUERY)) {
      throw RequestError.of('ERR_REQUEST_INPUT', parameter, 'is unknown; this route takes no query parameters.');
    }
    if (body !== undefined && body !== null && Object.keys(body).length > 0 && !taken.has(BODY)) {
      throw RequestError.of('ERR_REQUEST_INPUT', 'body', 'is not taken by this route; leave it out.');
    }
    if (isDeeperThan(body, MAX_DEPTH)) {
      throw RequestError.of('ERR_REQUEST_INPUT', 'body', `is nested deeper than ${MAX_DEPTH} levels.`);
    }
    return next.handle();
  }
}

/** Level by level, so that the walk itself needs no stack. */
function isDeeperThan(value: unknown, depth: number): boolean {
  let level: unknown[] = [value];
  for (let below = 0; level.length > 0; below++) {
    if (below > depth) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}

function kindsTaken(context: ExecutionContext): ReadonlySet<string | undefined> {
  const name = context.getHandler().name;
  const routeArguments = (Reflect.getMetadata(ROUTE_ARGUMENTS, context.getClass(), name) ?? {}) as object;
  return new Set(Object.keys(routeArguments).map((key) => key.split(':')[0]));
}
