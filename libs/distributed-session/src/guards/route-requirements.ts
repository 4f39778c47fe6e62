import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ALLOW_ANONYMOUS_SERVICE } from './decorators.js';
import { type PermissionRequirement, requirementsOf } from './require-service-permission.decorator.js';

/** The permissions that a route asks for: those of its class and of its method, together. */
export function requirementsOfRoute(context: ExecutionContext): readonly PermissionRequirement[] {
  return [...requirementsOf(context.getClass()), ...requirementsOf(context.getHandler())];
}

/** Whether a route may be called without a service credential. What the method says goes over what the class says. */
export function allowsAnonymous(reflector: Reflector, context: ExecutionContext): boolean {
  return isAnonymous(reflector, context.getClass(), context.getHandler());
}

export function isAnonymous(reflector: Reflector, controller: object, handler: object): boolean {
  const onMethod = reflector.get<true | undefined>(ALLOW_ANONYMOUS_SERVICE, handler as () => unknown);
  if (onMethod || requirementsOf(handler).length > 0) return onMethod === true;
  return reflector.get<true | undefined>(ALLOW_ANONYMOUS_SERVICE, controller as () => unknown) === true;
}
