import type { CanActivate, Type } from '@nestjs/common';
import type { InstalledModules } from '../modules/installed-modules.js';
import type { ModuleName } from '../options/module-selection.js';
import { isUnknownPermission, SESSION_PERMISSIONS } from '../service/permission.js';
import { unknownName } from '../options/unknown-name.js';
import { PARAMETER_READERS } from './decorators.js';
import type { GuardedRoute } from './guarded-route.js';
import { ALLOW_ANONYMOUS_SERVICE, OPTIONAL_SESSION } from './route-requirements.js';
import { ServiceAuthGuard } from './service-auth.guard.js';
import { ServicePermissionGuard } from './service-permission.guard.js';
import { SessionGuard } from './session.guard.js';

/** A route as one module sees it. */
interface RouteOfModule {
  readonly route: GuardedRoute;
  readonly module: ModuleName;
  readonly isAnonymous: boolean;
}

/** A rule for routes: returns what is wrong with a route and how to fix it, after its name. */
type RouteRule = (of: RouteOfModule) => string | readonly string[] | undefined;

const GUARDS: readonly Type<CanActivate>[] = [ServiceAuthGuard, ServicePermissionGuard, SessionGuard];

/**
 * The rules judge only what is certain. A custom guard may authenticate and verify by itself: what it leaves out is
 * rejected at run time, by `ServicePermissionGuard` and by the parameter decorators.
 */
const RULES: readonly RouteRule[] = [
  undeclared,
  contradicting,
  unknown,
  unauthenticated,
  unchecked,
  unassigned,
  misdirected,
];

/** Returns the faults of a route, each with its name. */
export function faultsOf(
  route: GuardedRoute,
  isAnonymous: (module: ModuleName) => boolean,
  modules: InstalledModules,
): string[] {
  const faults = [...route.modules].flatMap((module) => {
    if (module !== undefined && !modules.has(module)) {
      return `a guard or decorator names the unknown module "${module}". The modules of this application: ${modules.toString()}.`;
    }
    return RULES.flatMap((rule) => rule({ route, module, isAnonymous: isAnonymous(module) }) ?? []);
  });
  return faults.map((fault) => `${route.name}: ${fault}`);
}

function undeclared({ route, module, isAnonymous }: RouteOfModule): string | undefined {
  if (isAnonymous || route.requirements(module).length > 0) return undefined;
  if (route.positionOf(ServicePermissionGuard, module) < 0) return undefined;
  const [required, anonymous] = [argumentsFor(module, "'…'"), argumentsFor(module)];
  return (
    `its decorators declare no permission. Add @RequireServicePermission(${required}) or @AllowAnonymousService(${anonymous}). ` +
    `To declare a controller of another package, call one before the application starts: AllowAnonymousService(${anonymous})(${route.controllerName}).`
  );
}

function contradicting({ route, module }: RouteOfModule): string | undefined {
  const contradiction = route.contradiction(module);
  return (
    contradiction &&
    `@AllowAnonymousService() and @RequireServicePermission() contradict each other on ${contradiction}. ` +
      'Remove one of them, or declare the method itself.'
  );
}

function unknown({ route, module }: RouteOfModule): string[] {
  const texts = new Set(
    route
      .requirements(module)
      .map(({ permission }) => permission)
      .filter(isUnknownPermission),
  );
  return [...texts].map((text) => unknownName('permission', text, SESSION_PERMISSIONS));
}

function unauthenticated({ route, module, isAnonymous }: RouteOfModule): string | undefined {
  const position = route.positionOf(ServicePermissionGuard, module);
  if (isAnonymous || position < 0 || route.requirements(module).length === 0) return undefined;
  if (!route.hasOnly([SessionGuard, ServicePermissionGuard], GUARDS, module, position)) return undefined;
  const [permission, auth] = [ServicePermissionGuard, ServiceAuthGuard].map((guard) => guardFor(module, guard));
  return `${permission} requires ${auth} before it. Global guards run first, then those of the class.`;
}

function unchecked({ route, module, isAnonymous }: RouteOfModule): string | undefined {
  if (isAnonymous || route.requirements(module).length === 0) return undefined;
  if (!route.hasOnly([ServiceAuthGuard, SessionGuard], GUARDS, module)) return undefined;
  const [auth, permission] = [ServiceAuthGuard, ServicePermissionGuard].map((guard) => guardFor(module, guard));
  return `no guard checks @RequireServicePermission(${argumentsFor(module)}). Add ${auth} and ${permission}.`;
}

function unassigned({ route, module }: RouteOfModule): string[] {
  const parts = new Set(route.parameterReaders(module).map((reader) => PARAMETER_READERS.get(reader)));
  const selection = argumentsFor(module);
  const faults: string[] = [];
  if (parts.has('service') && route.hasOnly([SessionGuard, ServicePermissionGuard], GUARDS, module)) {
    const guard = guardFor(module, ServiceAuthGuard);
    faults.push(`no guard authenticates a service for @CurrentService(${selection}). Add ${guard}.`);
  }
  if (parts.has('session') && route.hasOnly([ServiceAuthGuard, ServicePermissionGuard], GUARDS, module)) {
    const guard = guardFor(module, SessionGuard);
    faults.push(
      `no guard verifies a session for @CurrentSession(${selection}) or @SessionAttribute(${selection}). Add ${guard}.`,
    );
  }
  return faults;
}

/** A decorator of the method that reaches no guard, because the guard is another module's, does not do what it says. */
function misdirected({ route, module }: RouteOfModule): string[] {
  const markers = [
    [OPTIONAL_SESSION, '@OptionalSession', [SessionGuard]],
    [ALLOW_ANONYMOUS_SERVICE, '@AllowAnonymousService', [ServiceAuthGuard, ServicePermissionGuard]],
  ] as const;
  return markers.flatMap(([marker, decorator, guards]) => {
    if (!route.isMarked(marker, module) || !route.hasOnly([], GUARDS, module)) return [];
    const other = [...route.modules].find((name) => guards.some((guard) => route.positionOf(guard, name) >= 0));
    const hasOther = guards.some((guard) => route.positionOf(guard, other) >= 0);
    if (!hasOther || route.isMarked(marker, other)) return [];
    return [
      `${decorator}(${argumentsFor(module)}) reaches no guard: those of this route are of another module. ` +
        `Write ${decorator}(${argumentsFor(other)}).`,
    ];
  });
}

/** Returns a guard of a module as code writes it. */
function guardFor(module: ModuleName, { name }: Function): string {
  return module === undefined ? name : `${name}.for('${module}')`;
}

/** Returns the arguments of a decorator as code writes them, for a module. */
function argumentsFor(module: ModuleName, ...others: string[]): string {
  return [...others, ...(module === undefined ? [] : [`{ module: '${module}' }`])].join(', ');
}
