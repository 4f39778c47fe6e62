import { OptionsError } from '../errors/options.error.js';
import { parsePermission } from '../service/permission.js';

const REQUIRED_PERMISSIONS = Symbol('nestjs-distributed-session required permissions');

/** A permission that a route asks for. */
export interface PermissionRequirement {
  readonly permission: string;
  /** Whether the permission for some attributes is enough, because the handler acts through `manager.as(service)`. */
  readonly partly: boolean;
}

/**
 * Asks for a permission for at least some attributes: `@RequireServicePermission(partly('session.read'))`. Only for a
 * handler that acts through `manager.as(service)`, which then enforces which attributes.
 */
export function forSomeAttributes(permission: 'session.read' | 'session.write'): PermissionRequirement {
  return { permission, partly: true };
}

/**
 * Asks for permissions of the calling service, all of them, on a class, a method, or both: they add up, inherited
 * ones included. `ServicePermissionGuard` checks them. `'session.read'` asks for all attributes, `'session.read:cart.*'`
 * for those, {@link forSomeAttributes} for any.
 */
export function RequireServicePermission(
  ...permissions: [string | PermissionRequirement, ...(string | PermissionRequirement)[]]
): ClassDecorator & MethodDecorator {
  if (permissions.length === 0) {
    throw new OptionsError('@RequireServicePermission() asks for nothing:', [
      "Name a permission, such as @RequireServicePermission('session.read'), or use @AllowAnonymousService().",
    ]);
  }
  const required = permissions.map((given) => (isRequirement(given) ? given : { permission: given, partly: false }));
  for (const { permission } of required) parsePermission(permission, '@RequireServicePermission()');
  return (target: object, _method?: string | symbol, descriptor?: PropertyDescriptor) => {
    const subject = (descriptor?.value as object | undefined) ?? target;
    Reflect.defineMetadata(REQUIRED_PERMISSIONS, [...requirementsOf(subject), ...required], subject);
  };
}

/** What a class or a method asks for, with what it inherits. */
export function requirementsOf(subject: object): readonly PermissionRequirement[] {
  return (Reflect.getMetadata(REQUIRED_PERMISSIONS, subject) as PermissionRequirement[] | undefined) ?? [];
}

/** Anything else is taken for the text of a permission, whose check says what is wrong with it. */
function isRequirement(given: string | PermissionRequirement): given is PermissionRequirement {
  return typeof given === 'object' && given !== null;
}
