import {
  type CustomDecorator,
  SetMetadata,
  type ExecutionContext,
  createParamDecorator,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { requestOf } from './guarded-request.js';
import type { ServiceCredential } from '../service/service-credential.js';
import type { JsonValue } from '../model/attributes.js';
import type { Session } from '../model/session.js';

export const ALLOW_ANONYMOUS_SERVICE = Symbol('nestjs-distributed-session allow anonymous service');

/**
 * Lets a route, or all of a controller, be called without a service credential. One that is sent must still be right.
 * On a method it goes over `@RequireServicePermission()` on the class, and the other way round.
 */
export function AllowAnonymousService(): CustomDecorator<symbol> {
  return SetMetadata(ALLOW_ANONYMOUS_SERVICE, true);
}

export const OPTIONAL_SESSION = Symbol('nestjs-distributed-session optional session');

/**
 * Lets `SessionGuard` pass a request without a live session; `@CurrentSession()` is then `undefined`. While the
 * storage is down the answer is still 503: nobody is taken for anonymous because it could not be asked.
 */
export function OptionalSession(): CustomDecorator<symbol> {
  return SetMetadata(OPTIONAL_SESSION, true);
}

/** The service that `ServiceAuthGuard` found, or `undefined` where an anonymous one is allowed. */
export const CurrentService: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): ServiceCredential | undefined => requestOf(context).service,
);

// Annotated, because the type that would be inferred names what only Nest 12 has.
type Pipe = PipeTransform | Type<PipeTransform>;

/** The session that `SessionGuard` found, or `undefined` where it is optional. */
export const CurrentSession: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Session | undefined => requestOf(context).session,
);

/** One attribute of the session that `SessionGuard` found: `@SessionAttribute('role') role?: string`. */
export const SessionAttribute: (key: string, ...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (key: string, context: ExecutionContext): JsonValue | undefined => requestOf(context).session?.attributes[key],
);
