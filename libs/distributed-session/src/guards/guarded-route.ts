import type { CanActivate, Type } from '@nestjs/common';
import {
  ALLOW_ANONYMOUS_SERVICE,
  type PermissionRequirement,
  REQUIRED_PERMISSIONS,
  requirementsOf,
} from './route-requirements.js';

/** Nest's metadata keys for the guards of a class or method, and for the parameters of a class's methods. */
const NEST_GUARDS = '__guards__';
const NEST_PARAMETERS = '__routeArguments__';

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

  get name(): string {
    return `${this.controller.name}.${this.method}`;
  }

  /** The permissions that its class and its method require. */
  get requirements(): readonly PermissionRequirement[] {
    return [...requirementsOf(this.controller), ...requirementsOf(this.#handler)];
  }

  /** Returns whether one of its guards is of this class or a subclass, and the position of the first such guard. */
  positionOf(guard: Function): number {
    return this.guards.findIndex((given) => given === guard || given.prototype instanceof guard);
  }

  /** Returns whether each of the first `count` guards acts as one of these classes does: anything else is unknown. */
  hasOnly(known: readonly Type<CanActivate>[], count = this.guards.length): boolean {
    return this.guards.slice(0, count).every((given) => {
      const { canActivate } = given.prototype as Partial<CanActivate>;
      return known.some(({ prototype }) => (prototype as CanActivate).canActivate === canActivate);
    });
  }

  /** Where `@AllowAnonymousService()` and `@RequireServicePermission()` contradict each other, or `undefined`. */
  get contradiction(): string | undefined {
    const isAnonymous = allowsAnonymous(this.#handler);
    const requires = requirementsOf(this.#handler).length > 0;
    if (isAnonymous && requires) return 'the method';
    if (isAnonymous) return this.#requiringSubclass();
    const { controller } = this;
    if (!requires && allowsAnonymous(controller) && requirementsOf(controller).length > 0) return 'its class';
    return undefined;
  }

  /** Returns the class that requires a permission for an inherited method that allows anonymous requests. */
  #requiringSubclass(): string | undefined {
    for (
      let owner = this.controller;
      typeof owner.prototype === 'object';
      owner = Object.getPrototypeOf(owner) as Function
    ) {
      if (Object.hasOwn(owner.prototype as object, this.method)) return undefined;
      if (Reflect.hasOwnMetadata(REQUIRED_PERMISSIONS, owner)) return `the inherited method and ${owner.name}`;
    }
    return undefined;
  }

  /** The factory functions of its parameter decorators. */
  get parameterReaders(): readonly unknown[] {
    const parameters = Reflect.getMetadata(NEST_PARAMETERS, this.controller, this.method) as object | undefined;
    return Object.values(parameters ?? {}).map(({ factory }: { factory?: unknown }) => factory);
  }
}

function guardsOf(subject: object): readonly unknown[] {
  return (Reflect.getMetadata(NEST_GUARDS, subject) as unknown[] | undefined) ?? [];
}

/** Nest accepts guards as classes and as instances. */
function toClass(guard: unknown): Function {
  return typeof guard === 'function' ? guard : (guard as object).constructor;
}

function allowsAnonymous(subject: object): boolean {
  return Reflect.getMetadata(ALLOW_ANONYMOUS_SERVICE, subject) === true;
}
