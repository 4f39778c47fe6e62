import type { ExecutionContext } from '@nestjs/common';
import { RequestHeaderError, UnsupportedTransportError } from '../errors/request.errors.js';
import { toHttpException } from '../errors/to-http-exception.js';
import type { Session } from '../model/session.js';
import { type ModuleName, type ModuleSelection, selectedModule } from '../options/module-selection.js';
import type { ServiceCredential } from '../service/service-credential.js';
import { type AdapterRequest, type AdapterResponse, HttpExchange } from './http-exchange.js';
import { HttpGuardedRequest } from './http-guarded-request.js';
import { UnsupportedTransportException, isSupported } from './unsupported-transport.js';

/** A request as the guards of one module see it, independent of transport and adapter. */
export interface GuardedRequest {
  /** The caller's IP address, as the adapter determined it. */
  readonly source: string | undefined;
  /** Returns all values of a header in the order sent: several if the client sent the header several times. */
  headerValues(name: string): readonly string[];
  /** Sets a response header. The handler may override it. */
  setResponseHeader(name: string, value: string): void;
  /**
   * The calling service, after `ServiceAuthGuard` authenticated it. A guard that replaces it assigns the service, or
   * `undefined` for an anonymous request; without an assignment, `@CurrentService()` throws.
   */
  service?: ServiceCredential | undefined;
  /**
   * The session, after `SessionGuard` verified it, with the attributes that `service` may read, whichever of the two was
   * assigned first. A guard that replaces `SessionGuard` assigns the session, or `undefined` for a request without one;
   * without an assignment, `@CurrentSession()` and `@SessionAttribute()` throw.
   *
   * @throws {ServicePermissionError} when read, if `service` lacks `session.read` for all attributes.
   */
  session?: Session | undefined;
}

/** What is known of a request: the guards of each module assign to an object of their own. */
interface GuardedState {
  readonly exchange: HttpExchange;
  readonly requests: Map<ModuleName, HttpGuardedRequest>;
}

type Guarded = AdapterRequest & { [GUARDED]?: GuardedState };

const GUARDED = Symbol('nestjs-distributed-session guarded request');

/**
 * Returns the guards' view of a context's request: the same object for all guards and decorators of one module.
 *
 * @param selection - The module; without it, the module without a name.
 *
 * @example
 * // A test replaces SessionGuard:
 * const stub: CanActivate = {
 *   canActivate(context) {
 *     guardedRequestOf(context).session = { loginId: 'alice', attributes: {} } as Session;
 *     return true;
 *   },
 * };
 *
 * @throws {ForbiddenException} on a transport that is not supported.
 * @throws {HttpException} 400 for a request with several `Host` headers; 431 for one with so many headers that Node has
 *   dropped some (`server.maxHeadersCount`, 1,000 by default).
 */
export function guardedRequestOf(context: ExecutionContext, selection?: ModuleSelection): GuardedRequest {
  return httpRequestOf(context, selectedModule(selection, 'guardedRequestOf()'));
}

/** Returns the same object with what only this library's guards and decorators use. */
export function httpRequestOf(context: ExecutionContext, module: ModuleName): HttpGuardedRequest {
  const { exchange, requests } = stateOf(context);
  let request = requests.get(module);
  if (!request) requests.set(module, (request = new HttpGuardedRequest(exchange)));
  return request;
}

function stateOf(context: ExecutionContext): GuardedState {
  if (!isSupported(context)) {
    throw new UnsupportedTransportException(new UnsupportedTransportError(context.getType<string>()));
  }
  const http = context.switchToHttp();
  const request = http.getRequest<Guarded>();
  try {
    return (request[GUARDED] ??= {
      exchange: new HttpExchange(request, http.getResponse<AdapterResponse>()),
      requests: new Map(),
    });
  } catch (error) {
    throw error instanceof RequestHeaderError ? toHttpException(error) : error;
  }
}
