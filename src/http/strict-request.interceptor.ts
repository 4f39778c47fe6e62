import type { IncomingMessage } from 'node:http';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { shownUnknown } from 'nestjs-distributed-session';
import { RequestError } from './problem.js';

/** Nest's metadata key for a handler's parameters. Each key in it begins with the number of the parameter's kind. */
const ROUTE_ARGUMENTS = '__routeArguments__';
const BODY = '3';
const QUERY = '4';
/** More than attributes allow. It bounds every later recursion over a body. */
const MAX_DEPTH = 64;

interface ParsedRequest extends IncomingMessage {
  readonly body?: unknown;
  readonly query?: object;
}

/**
 * Rejects a query or a body if the route has none, because ignoring it would hide a mistake, and bodies that are nested
 * too deeply. Runs before the pipes and the other interceptors.
 */
@Injectable()
export class StrictRequestInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { body, query = {} } = context.switchToHttp().getRequest<ParsedRequest>();
    const taken = kindsTaken(context);
    const [parameter] = Object.keys(query);
    if (parameter !== undefined && !taken.has(QUERY)) {
      const field = shownUnknown(parameter, []);
      const message = `Unknown query parameter "${field}". This route has none.`;
      throw new RequestError('ERR_REQUEST_INPUT', message, [{ field, message }]);
    }
    if (body !== undefined && body !== null && Object.keys(body).length > 0 && !taken.has(BODY)) {
      throw RequestError.of('ERR_REQUEST_INPUT', 'body', 'is not supported by this route. Remove it.');
    }
    if (isDeeperThan(body, MAX_DEPTH)) {
      throw RequestError.of('ERR_REQUEST_INPUT', 'body', `is nested deeper than ${MAX_DEPTH} levels.`);
    }
    return next.handle();
  }
}

/** Walks level by level, so that deep nesting cannot overflow the stack. */
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
