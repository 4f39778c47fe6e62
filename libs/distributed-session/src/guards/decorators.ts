import { type ExecutionContext, type PipeTransform, type Type, createParamDecorator } from '@nestjs/common';
import { DistributedSessionError } from '../errors/distributed-session.error.js';
import { OptionsError } from '../errors/options.error.js';
import { toHttpException } from '../errors/to-http-exception.js';
import { type JsonValue, attributeOf } from '../model/attributes.js';
import type { Session } from '../model/session.js';
import {
  type ModuleName,
  type ModuleSelection,
  isModuleSelection,
  selectedModule,
} from '../options/module-selection.js';
import { parsePermission } from '../service/permission.js';
import type { ServiceCredential } from '../service/service-credential.js';
import { type GuardedRequest, httpRequestOf } from './guarded-request.js';
import {
  ALLOW_ANONYMOUS_SERVICE,
  type Marker,
  OPTIONAL_SESSION,
  type PermissionRequirement,
  REQUIRED_PERMISSIONS,
  allRequirementsOf,
  markedModules,
} from './route-requirements.js';
import { isSupported, unsupportedTransport } from './unsupported-transport.js';

/**
 * Requires permissions of the calling service, which `ServicePermissionGuard` checks. On a class it applies to all
 * routes; permissions of the class, of the method and inherited ones are combined. `'session.read'` requires all
 * attributes, `'session.read:cart.*'` those attributes, and {@link forSomeAttributes} any. With `{ module }` last, the
 * guards of that module check them.
 *
 * @example
 * `class Orders { @Delete(':id') @RequireServicePermission('order.cancel') cancel(@Param('id') id: string) {} }`
 *
 * @example
 * // A controller of another package is declared before the application starts:
 * class MetricsController {}
 * RequireServicePermission('metrics.read')(MetricsController);
 *
 * @throws {ServiceInputError} when a permission is invalid.
 * @throws {OptionsError} without a permission, or when the module's name is invalid.
 */
export function RequireServicePermission(
  ...given: [string | PermissionRequirement, ...(string | PermissionRequirement | ModuleSelection)[]]
): ClassDecorator & MethodDecorator {
  const last = given.at(-1);
  const module = selectedModule(isModuleSelection(last) ? last : undefined, '@RequireServicePermission()');
  const permissions = isModuleSelection(last) ? given.slice(0, -1) : given;
  if (permissions.length === 0) {
    throw new OptionsError('@RequireServicePermission() requires at least one permission:', [
      "Pass a permission, such as @RequireServicePermission('session.read'), or use @AllowAnonymousService() instead.",
    ]);
  }
  const required = (permissions as (string | PermissionRequirement)[]).map((one) => ({
    ...(isRequirement(one) ? one : { permission: one, forSomeAttributes: false }),
    module,
  }));
  for (const one of required) parsePermission(one.permission, '@RequireServicePermission()');
  return (target: object, method?: string | symbol) => {
    const subject = subjectOf(target, method);
    Reflect.defineMetadata(REQUIRED_PERMISSIONS, [...allRequirementsOf(subject), ...required], subject);
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
 *
 * @throws {OptionsError} when the module's name is invalid.
 */
export function AllowAnonymousService(selection?: ModuleSelection): ClassDecorator & MethodDecorator {
  return mark(ALLOW_ANONYMOUS_SERVICE, selectedModule(selection, '@AllowAnonymousService()'));
}

/**
 * Allows a route, or all routes of a controller, to be called without a live session. `@CurrentSession()` is then
 * `undefined`. While the storage is unavailable the response is still 503, so that no user appears to be logged out.
 *
 * @example
 * `class Cart { @Get() @UseGuards(SessionGuard) @OptionalSession() show(@CurrentSession() session?: Session) {} }`
 *
 * @throws {OptionsError} when the module's name is invalid.
 */
export function OptionalSession(selection?: ModuleSelection): ClassDecorator & MethodDecorator {
  return mark(OPTIONAL_SESSION, selectedModule(selection, '@OptionalSession()'));
}

/** The class or the method that a decorator is on; a decorator may also be called without a descriptor. */
function subjectOf(target: object, method?: string | symbol): object {
  return method === undefined ? target : (target as Record<string | symbol, object>)[method]!;
}

function mark(marker: Marker, module: ModuleName): ClassDecorator & MethodDecorator {
  return (target: object, method?: string | symbol) => {
    const subject = subjectOf(target, method);
    Reflect.defineMetadata(marker, [...markedModules(marker, subject), module], subject);
  };
}

/** What a parameter decorator reads: the module's service or session, or one attribute of the session. */
interface Reading {
  readonly module: ModuleName;
  readonly key?: string;
}

/** Nest awaits what a decorator returns: the exceptions of other transports are imported when they are needed. */
type Read<T> = T | Promise<never>;

async function rejectTransport(context: ExecutionContext): Promise<never> {
  throw await unsupportedTransport(context);
}

function readService({ module }: Reading, context: ExecutionContext): Read<ServiceCredential | undefined> {
  if (!isSupported(context)) return rejectTransport(context);
  return assigned('service', '@CurrentService() requires ServiceAuthGuard', module, context);
}

function readSession({ module }: Reading, context: ExecutionContext): Read<Session | undefined> {
  if (!isSupported(context)) return rejectTransport(context);
  return assigned('session', '@CurrentSession() requires SessionGuard', module, context);
}

function readAttribute({ module, key }: Reading, context: ExecutionContext): Read<JsonValue | undefined> {
  if (!isSupported(context)) return rejectTransport(context);
  const session = assigned('session', '@SessionAttribute() requires SessionGuard', module, context);
  return session && attributeOf(session.attributes, key!);
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
  module: ModuleName,
  context: ExecutionContext,
): GuardedRequest[Part] {
  const request = httpRequestOf(context, module);
  if (!request.isAssigned(part)) {
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    const [bound, selection] = module === undefined ? ['', ''] : [`.for('${module}')`, `, { module: '${module}' }`];
    throw new OptionsError('A route reads what no guard assigned:', [
      `${route}: ${requirement}${bound}, or a guard that assigns guardedRequestOf(context${selection}).${part}.`,
    ]);
  }
  try {
    return request[part];
  } catch (error) {
    throw error instanceof DistributedSessionError ? toHttpException(error) : error;
  }
}

const injectService = createParamDecorator(readService);
const injectSession = createParamDecorator(readSession);
const injectAttribute = createParamDecorator(readAttribute);

/**
 * Injects the service that `ServiceAuthGuard` authenticated, or `undefined` for an anonymous request. A route without a
 * guard that authenticates services fails: the application does not start, or the response is 500.
 *
 * @example
 * list(@CurrentService() service: ServiceCredential) {}
 *
 * @throws {OptionsError} when the module's name is invalid.
 */
export function CurrentService(selection?: ModuleSelection): ParameterDecorator {
  return injectService({ module: selectedModule(selection, '@CurrentService()') });
}

/**
 * Injects the session that `SessionGuard` verified, or `undefined` for a request without one. After `ServiceAuthGuard`,
 * in either order, it contains only the attributes that the calling service may read. A route without a guard that
 * verifies sessions fails: the application does not start, or the response is 500.
 *
 * @example
 * me(@CurrentSession() session: Session) {
 *   return { loginId: session.loginId };
 * }
 *
 * @example
 * me(@CurrentSession({ module: 'admins' }) admin: Session) {
 *   return { loginId: admin.loginId };
 * }
 *
 * @throws {OptionsError} when the module's name is invalid.
 */
export function CurrentSession(selection?: ModuleSelection): ParameterDecorator {
  return injectSession({ module: selectedModule(selection, '@CurrentSession()') });
}

// Annotated, because the inferred type refers to types that only Nest 12 has.
type Pipe = PipeTransform | Type<PipeTransform>;

/**
 * Injects one attribute of the session that `SessionGuard` verified. `undefined` if it is not set, or if the calling
 * service may not read it. `{ module }` selects the module, before or after the pipes.
 *
 * @example
 * cart(@SessionAttribute('cart.items', new DefaultValuePipe([])) items: string[]) {}
 *
 * @throws {OptionsError} when the module's name is invalid.
 */
export function SessionAttribute(key: string, ...more: (Pipe | ModuleSelection)[]): ParameterDecorator {
  const selection = more.find(isSelection);
  const pipes = more.filter((one) => !isSelection(one));
  return injectAttribute({ key, module: selectedModule(selection, '@SessionAttribute()') }, ...pipes);
}

/** A pipe may have a property of that name. */
function isSelection(given: Pipe | ModuleSelection): given is ModuleSelection {
  return isModuleSelection(given) && !('transform' in given);
}
