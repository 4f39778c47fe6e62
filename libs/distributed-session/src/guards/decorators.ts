import {
  type CustomDecorator,
  type ExecutionContext,
  type PipeTransform,
  SetMetadata,
  type Type,
  createParamDecorator,
} from '@nestjs/common';
import { DistributedSessionError } from '../errors/distributed-session.error.js';
import { OptionsError } from '../errors/options.error.js';
import { toHttpException } from '../errors/to-http-exception.js';
import { type JsonValue, attributeOf } from '../model/attributes.js';
import type { Session } from '../model/session.js';
import { parsePermission } from '../service/permission.js';
import type { ServiceCredential } from '../service/service-credential.js';
import { type GuardedRequest, httpRequestOf } from './guarded-request.js';
import {
  ALLOW_ANONYMOUS_SERVICE,
  OPTIONAL_SESSION,
  type PermissionRequirement,
  REQUIRED_PERMISSIONS,
  requirementsOf,
} from './route-requirements.js';

/**
 * Requires permissions of the calling service, which `ServicePermissionGuard` checks. On a class it applies to all
 * routes; permissions of the class, of the method and inherited ones are combined. `'session.read'` requires all
 * attributes, `'session.read:cart.*'` those attributes, and {@link forSomeAttributes} any.
 *
 * @example
 * `class Orders { @Delete(':id') @RequireServicePermission('order.cancel') cancel(@Param('id') id: string) {} }`
 *
 * @throws {ServiceInputError} when a permission is invalid.
 * @throws {OptionsError} without a permission.
 */
export function RequireServicePermission(
  ...permissions: [string | PermissionRequirement, ...(string | PermissionRequirement)[]]
): ClassDecorator & MethodDecorator {
  if (permissions.length === 0) {
    throw new OptionsError('@RequireServicePermission() requires at least one permission:', [
      "Pass a permission, such as @RequireServicePermission('session.read'), or use @AllowAnonymousService() instead.",
    ]);
  }
  const required = permissions.map((given) =>
    isRequirement(given) ? given : { permission: given, forSomeAttributes: false },
  );
  for (const { permission } of required) parsePermission(permission, '@RequireServicePermission()');
  return (target: object, _method?: string | symbol, descriptor?: PropertyDescriptor) => {
    const subject = (descriptor?.value as object | undefined) ?? target;
    Reflect.defineMetadata(REQUIRED_PERMISSIONS, [...requirementsOf(subject), ...required], subject);
  };
}

/** Anything else is treated as a permission's text, and its validation reports the error. */
function isRequirement(given: string | PermissionRequirement): given is PermissionRequirement {
  return typeof given === 'object' && given !== null;
}

/**
 * Requires a permission for at least some attributes. Only for a handler that acts through `manager.as(service)`,
 * which enforces the permission for each attribute.
 *
 * @example
 * `class Sessions { @Get() @RequireServicePermission(forSomeAttributes('session.read')) list() {} }`
 */
export function forSomeAttributes(permission: 'session.read' | 'session.write'): PermissionRequirement {
  return { permission, forSomeAttributes: true };
}

/**
 * Allows a route, or all routes of a controller, to be called without a service credential. If a request has one, it
 * must be valid. On a method it overrides `@RequireServicePermission()` on the class, and vice versa.
 *
 * @example
 * `class Status { @Get() @AllowAnonymousService() show(@CurrentService() service?: ServiceCredential) {} }`
 */
export function AllowAnonymousService(): CustomDecorator<symbol> {
  return SetMetadata(ALLOW_ANONYMOUS_SERVICE, true);
}

/**
 * Allows a route, or all routes of a controller, to be called without a live session. `@CurrentSession()` is then
 * `undefined`. While the storage is unavailable the response is still 503, so that no user appears to be logged out.
 *
 * @example
 * `class Cart { @Get() @UseGuards(SessionGuard) @OptionalSession() show(@CurrentSession() session?: Session) {} }`
 */
export function OptionalSession(): CustomDecorator<symbol> {
  return SetMetadata(OPTIONAL_SESSION, true);
}

function readService(_data: unknown, context: ExecutionContext): ServiceCredential | undefined {
  return assigned('service', '@CurrentService() requires ServiceAuthGuard', context);
}

function readSession(_data: unknown, context: ExecutionContext): Session | undefined {
  return assigned('session', '@CurrentSession() requires SessionGuard', context);
}

function readAttribute(key: string, context: ExecutionContext): JsonValue | undefined {
  const session = assigned('session', '@SessionAttribute() requires SessionGuard', context);
  return session && attributeOf(session.attributes, key);
}

/** The part of the request that each parameter decorator reads, by the decorator's factory function. */
export const PARAMETER_READERS: ReadonlyMap<unknown, 'service' | 'session'> = new Map<unknown, 'service' | 'session'>([
  [readService, 'service'],
  [readSession, 'session'],
  [readAttribute, 'session'],
]);

/** Returns what a guard assigned. `undefined` is a valid answer only if a guard gave it. */
function assigned<Part extends 'service' | 'session'>(
  part: Part,
  requirement: string,
  context: ExecutionContext,
): GuardedRequest[Part] {
  const request = httpRequestOf(context);
  if (!request.isAssigned(part)) {
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    throw new OptionsError('A route reads what no guard assigned:', [
      `${route}: ${requirement}, or a guard that assigns guardedRequestOf(context).${part}.`,
    ]);
  }
  try {
    return request[part];
  } catch (error) {
    throw error instanceof DistributedSessionError ? toHttpException(error) : error;
  }
}

/**
 * Injects the service that `ServiceAuthGuard` authenticated, or `undefined` for an anonymous request. A route without a
 * guard that authenticates services fails: the application does not start, or the response is 500.
 *
 * @example
 * list(@CurrentService() service: ServiceCredential) {}
 */
export const CurrentService: () => ParameterDecorator = createParamDecorator(readService);

/**
 * Injects the session that `SessionGuard` verified, or `undefined` for a request without one. After `ServiceAuthGuard`,
 * in either order, it contains only the attributes that the calling service may read. A route without a guard that
 * verifies sessions fails: the application does not start, or the response is 500.
 *
 * @example
 * me(@CurrentSession() session: Session) {
 *   return { loginId: session.loginId };
 * }
 */
export const CurrentSession: () => ParameterDecorator = createParamDecorator(readSession);

// Annotated, because the inferred type refers to types that only Nest 12 has.
type Pipe = PipeTransform | Type<PipeTransform>;

/**
 * Injects one attribute of the session that `SessionGuard` verified. `undefined` if it is not set, or if the calling
 * service may not read it.
 *
 * @example
 * cart(@SessionAttribute('cart.items', new DefaultValuePipe([])) items: string[]) {}
 */
export const SessionAttribute: (key: string, ...pipes: Pipe[]) => ParameterDecorator =
  createParamDecorator(readAttribute);
