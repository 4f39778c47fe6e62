import { isUnknownPermission, SESSION_PERMISSIONS } from '../service/permission.js';
import { unknownName } from '../options/unknown-name.js';
import { PARAMETER_READERS } from './decorators.js';
import type { GuardedRoute } from './guarded-route.js';
import { ServiceAuthGuard } from './service-auth.guard.js';
import { ServicePermissionGuard } from './service-permission.guard.js';
import { SessionGuard } from './session.guard.js';

/** A rule for routes: returns what is wrong with a route and how to fix it, after its name. */
type RouteRule = (route: GuardedRoute, isAnonymous: boolean) => string | readonly string[] | undefined;

/**
 * The rules judge only what is certain. A custom guard may authenticate and verify by itself: what it leaves out is
 * rejected at run time, by `ServicePermissionGuard` and by the parameter decorators.
 */
const RULES: readonly RouteRule[] = [undeclared, contradicting, unknown, unauthenticated, unchecked, unassigned];

/** Returns the faults of a route, each with its name. */
export function faultsOf(route: GuardedRoute, isAnonymous: boolean): string[] {
  return RULES.flatMap((rule) => rule(route, isAnonymous) ?? []).map((fault) => `${route.name}: ${fault}`);
}

function undeclared(route: GuardedRoute, isAnonymous: boolean): string | undefined {
  if (isAnonymous || route.requirements.length > 0 || route.positionOf(ServicePermissionGuard) < 0) return undefined;
  return "its decorators declare no permission. Add @RequireServicePermission('…') or @AllowAnonymousService().";
}

function contradicting({ contradiction }: GuardedRoute): string | undefined {
  return (
    contradiction &&
    `@AllowAnonymousService() and @RequireServicePermission() contradict each other on ${contradiction}. ` +
      'Remove one of them, or declare the method itself.'
  );
}

function unknown({ requirements }: GuardedRoute): string[] {
  const texts = new Set(requirements.map(({ permission }) => permission).filter(isUnknownPermission));
  return [...texts].map((text) => unknownName('permission', text, SESSION_PERMISSIONS));
}

function unauthenticated(route: GuardedRoute, isAnonymous: boolean): string | undefined {
  const position = route.positionOf(ServicePermissionGuard);
  if (isAnonymous || position < 0 || route.requirements.length === 0) return undefined;
  if (!route.hasOnly([SessionGuard, ServicePermissionGuard], position)) return undefined;
  return 'ServicePermissionGuard requires ServiceAuthGuard before it. Global guards run first, then those of the class.';
}

function unchecked(route: GuardedRoute, isAnonymous: boolean): string | undefined {
  if (isAnonymous || route.requirements.length === 0 || !route.hasOnly([ServiceAuthGuard, SessionGuard]))
    return undefined;
  return 'no guard checks @RequireServicePermission(). Add ServiceAuthGuard and ServicePermissionGuard.';
}

function unassigned(route: GuardedRoute): string[] {
  const parts = new Set(route.parameterReaders.map((reader) => PARAMETER_READERS.get(reader)));
  const faults: string[] = [];
  if (parts.has('service') && route.hasOnly([SessionGuard, ServicePermissionGuard])) {
    faults.push('no guard authenticates a service for @CurrentService(). Add ServiceAuthGuard.');
  }
  if (parts.has('session') && route.hasOnly([ServiceAuthGuard, ServicePermissionGuard])) {
    faults.push('no guard verifies a session for @CurrentSession() or @SessionAttribute(). Add SessionGuard.');
  }
  return faults;
}
