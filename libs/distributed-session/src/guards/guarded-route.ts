import type { CanActivate, Type } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import { moduleOfClass } from '../modules/bound-class.js';
import type { ModuleName } from '../options/module-selection.js';
import {
  ALLOW_ANONYMOUS_SERVICE,
  type Marker,
  OPTIONAL_SESSION,
  type PermissionRequirement,
  REQUIRED_PERMISSIONS,
  allRequirementsOf,
  markedModules,
  requirementsOf,
} from './route-requirements.js';

type GuardClass = Type<CanActivate>;

/** Nest's metadata keys for the guards of a class or method, and for the parameters of a class's methods. */
const NEST_GUARDS = '__guards__';
const NEST_PARAMETERS = '__routeArguments__';

/** A parameter decorator: its factory function, and what it passes to it. */
interface RouteParameter {
  readonly factory?: unknown;
  readonly data?: unknown;
}

/** A controller's method that handles requests, with its guards and declarations. */
export class GuardedRoute {
  /** The classes of its guards in the order in which they run; `Object` for a guard without a class. */
  readonly guards: readonly Function[];
  readonly #handler: object;

  constructor(
    globalGuards: readonly unknown[],
    private readonly controller: Function,
    private readonly method: string,
  ) {
    this.#handler = (controller.prototype as Record<string, object>)[method]!;
    this.guards = [...globalGuards, ...guardsOf(controller), ...guardsOf(this.#handler)].map(toClass);
  }

  get controllerName(): string {
    return this.controller.name;
  }

  get name(): string {
    return `${this.controllerName}.${this.method}`;
  }

  /** The modules that its guards and decorators name, and always the module without a name (`undefined`). */
  get modules(): ReadonlySet<ModuleName> {
    const declared = [this.controller, this.#handler].flatMap((subject) => [
      ...allRequirementsOf(subject).map(({ module }) => module),
      ...markedModules(ALLOW_ANONYMOUS_SERVICE, subject),
      ...markedModules(OPTIONAL_SESSION, subject),
    ]);
    return new Set([undefined, ...this.guards.map(moduleOfClass), ...declared, ...this.#parameters.map(moduleOf)]);
  }

  /** The permissions that its class and its method require of a module's services. */
  requirements(module: ModuleName): readonly PermissionRequirement[] {
    return [...requirementsOf(this.controller, module), ...requirementsOf(this.#handler, module)];
  }

  /** Returns whether its method, not only its class, is marked for a module. */
  isMarked(marker: Marker, module: ModuleName): boolean {
    return markedModules(marker, this.#handler).includes(module);
  }

  /** The first of its guards that is of this class or a subclass, for a module: its position, or -1. */
  positionOf(guard: Function, module: ModuleName): number {
    return this.guards.findIndex((given) => isOf(given, guard) && moduleOfClass(given) === module);
  }

  /**
   * Returns whether each of the first `count` guards acts as one of the known classes does, or as one of the others does
   * for another module: anything else is unknown.
   */
  hasOnly(
    known: readonly GuardClass[],
    others: readonly GuardClass[],
    module: ModuleName,
    count = this.guards.length,
  ): boolean {
    return this.guards.slice(0, count).every((given) => {
      return (moduleOfClass(given) === module ? known : others).some((guard) => actsAs(given, guard));
    });
  }

  /** Where `@AllowAnonymousService()` and `@RequireServicePermission()` contradict each other, or `undefined`. */
  contradiction(module: ModuleName): string | undefined {
    const isAnonymous = allowsAnonymous(this.#handler, module);
    const requires = requirementsOf(this.#handler, module).length > 0;
    if (isAnonymous && requires) return 'the method';
    if (isAnonymous) return this.#requiringSubclass(module);
    const { controller } = this;
    if (!requires && allowsAnonymous(controller, module) && requirementsOf(controller, module).length > 0)
      return 'its class';
    return undefined;
  }

  /** Returns the class that requires a permission for an inherited method that allows anonymous requests. */
  #requiringSubclass(module: ModuleName): string | undefined {
    for (
      let owner = this.controller;
      typeof owner.prototype === 'object';
      owner = Object.getPrototypeOf(owner) as Function
    ) {
      if (Object.hasOwn(owner.prototype as object, this.method)) return undefined;
      if (declaresOwn(owner, module)) return `the inherited method and ${owner.name}`;
    }
    return undefined;
  }

  /** The factory functions of its parameter decorators that read from a module. */
  parameterReaders(module: ModuleName): readonly unknown[] {
    return this.#parameters.filter((given) => moduleOf(given) === module).map(({ factory }) => factory);
  }

  get #parameters(): readonly RouteParameter[] {
    const parameters = Reflect.getMetadata(NEST_PARAMETERS, this.controller, this.method) as object | undefined;
    return Object.values(parameters ?? {});
  }
}

/** Returns the guards of all routes, those that are created for each request last, as Nest runs them. */
export function globalGuardsOf(config: ApplicationConfig): readonly unknown[] {
  return [...config.getGlobalGuards(), ...config.getGlobalRequestGuards().map(({ metatype }) => metatype)];
}

/** Only this library's decorators pass an object with a module; others read from none. */
function moduleOf({ data }: RouteParameter): ModuleName {
  const { module } = Object(data) as { readonly module?: unknown };
  return typeof module === 'string' ? module : undefined;
}

function isOf(given: Function, guard: Function): boolean {
  return given === guard || given.prototype instanceof guard;
}

function actsAs(given: Function, guard: GuardClass): boolean {
  return (given.prototype as Partial<CanActivate>).canActivate === (guard.prototype as CanActivate).canActivate;
}

/** Returns whether a class requires permissions in addition to those that it inherits. */
function declaresOwn(type: Function, module: ModuleName): boolean {
  if (!Reflect.hasOwnMetadata(REQUIRED_PERMISSIONS, type)) return false;
  const inherited = requirementsOf(Object.getPrototypeOf(type) as object, module);
  return requirementsOf(type, module).length > inherited.length;
}

function guardsOf(subject: object): readonly unknown[] {
  return (Reflect.getMetadata(NEST_GUARDS, subject) as unknown[] | undefined) ?? [];
}

/** Nest accepts guards as classes and as instances. */
function toClass(guard: unknown): Function {
  return typeof guard === 'function' ? guard : (guard as object).constructor;
}

function allowsAnonymous(subject: object, module: ModuleName): boolean {
  return markedModules(ALLOW_ANONYMOUS_SERVICE, subject).includes(module);
}
