import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

export const ALLOW_ANONYMOUS_SERVICE = Symbol('nestjs-distributed-session allow anonymous service');
export const OPTIONAL_SESSION = Symbol('nestjs-distributed-session optional session');
export const REQUIRED_PERMISSIONS = Symbol('nestjs-distributed-session required permissions');

/** A permission that a route requires. */
export interface PermissionRequirement {
  readonly permission: string;
  /** Whether the permission for some attributes is enough, because the handler acts through `manager.as(service)`. */
  readonly forSomeAttributes: boolean;
}

/** Returns the permissions that a class or method requires, inherited ones included. */
export function requirementsOf(subject: object): readonly PermissionRequirement[] {
  return (Reflect.getMetadata(REQUIRED_PERMISSIONS, subject) as PermissionRequirement[] | undefined) ?? [];
}

/** Returns the permissions that a route requires: those of its class and of its method. */
export function requirementsOfRoute(context: ExecutionContext): readonly PermissionRequirement[] {
  return [...requirementsOf(context.getClass()), ...requirementsOf(context.getHandler())];
}

/** Returns whether a route may be called without a service credential. */
export function allowsAnonymous(reflector: Reflector, context: ExecutionContext): boolean {
  return isAnonymous(reflector, context.getClass(), context.getHandler());
}

/** Returns whether a controller's method may be called without a service credential. The method overrides its class. */
export function isAnonymous(reflector: Reflector, controller: object, handler: object): boolean {
  const onMethod = reflector.get<true | undefined>(ALLOW_ANONYMOUS_SERVICE, handler as () => unknown);
  if (onMethod || requirementsOf(handler).length > 0) return onMethod === true;
  return reflector.get<true | undefined>(ALLOW_ANONYMOUS_SERVICE, controller as () => unknown) === true;
}

/** Returns whether a route, or its class, has `@OptionalSession()`. */
export function isOptionalSession(reflector: Reflector, context: ExecutionContext): boolean {
  const declaredOn = [context.getHandler(), context.getClass()];
  return reflector.getAllAndOverride<true | undefined>(OPTIONAL_SESSION, declaredOn) === true;
}
