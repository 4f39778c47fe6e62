import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { ModuleName } from '../options/module-selection.js';

export const REQUIRED_PERMISSIONS = Symbol('nestjs-distributed-session required permissions');

/** What a decorator without arguments declares, as a metadata key: the modules for which it does. */
export const ALLOW_ANONYMOUS_SERVICE = Symbol('nestjs-distributed-session allow anonymous service');
export const OPTIONAL_SESSION = Symbol('nestjs-distributed-session optional session');
export type Marker = typeof ALLOW_ANONYMOUS_SERVICE | typeof OPTIONAL_SESSION;

/** A permission that a route requires. */
export interface PermissionRequirement {
  readonly permission: string;
  /** Whether the permission for some attributes is enough, because the handler acts through `manager.as(service)`. */
  readonly forSomeAttributes: boolean;
}

/** A permission that a service of one module must have. */
export interface ModuleRequirement extends PermissionRequirement {
  readonly module: ModuleName;
}

/** Returns the permissions that a class or method requires of any module's services, inherited ones included. */
export function allRequirementsOf(subject: object): readonly ModuleRequirement[] {
  return (Reflect.getMetadata(REQUIRED_PERMISSIONS, subject) as ModuleRequirement[] | undefined) ?? [];
}

/** Returns the permissions that a class or method requires of the services of one module. */
export function requirementsOf(subject: object, module: ModuleName): readonly ModuleRequirement[] {
  return allRequirementsOf(subject).filter((requirement) => requirement.module === module);
}

/** Returns the permissions that a route requires: those of its class and of its method. */
export function requirementsOfRoute(context: ExecutionContext, module: ModuleName): readonly PermissionRequirement[] {
  return [context.getClass(), context.getHandler()].flatMap((subject) => requirementsOf(subject, module));
}

/** Returns the modules for which a class or method is marked, inherited marks included. */
export function markedModules(marker: Marker, subject: object): readonly ModuleName[] {
  return (Reflect.getMetadata(marker, subject) as ModuleName[] | undefined) ?? [];
}

/** Returns whether a route may be called without a service credential. */
export function allowsAnonymous(reflector: Reflector, context: ExecutionContext, module: ModuleName): boolean {
  return isAnonymous(reflector, context.getClass(), context.getHandler(), module);
}

/** Returns whether a controller's method may be called without a service credential. The method overrides its class. */
export function isAnonymous(reflector: Reflector, controller: object, handler: object, module: ModuleName): boolean {
  const isMarked = (subject: object) => {
    const modules = reflector.get<ModuleName[] | undefined>(ALLOW_ANONYMOUS_SERVICE, subject as () => unknown);
    return modules?.includes(module) === true;
  };
  const onMethod = isMarked(handler);
  return onMethod || requirementsOf(handler, module).length > 0 ? onMethod : isMarked(controller);
}

/** Returns whether a route, or its class, has `@OptionalSession()`. */
export function isOptionalSession(reflector: Reflector, context: ExecutionContext, module: ModuleName): boolean {
  const declaredOn = [context.getHandler(), context.getClass()];
  return reflector
    .getAll<(ModuleName[] | undefined)[]>(OPTIONAL_SESSION, declaredOn)
    .some((modules) => modules?.includes(module));
}
