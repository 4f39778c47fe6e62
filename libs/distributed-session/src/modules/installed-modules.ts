import type { ModulesContainer } from '@nestjs/core';
import type { ModuleName } from '../options/module-selection.js';
import { RESOLVED_OPTIONS, type ResolvedOptions } from '../resolve-options.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import { tokenOf } from './module-tokens.js';

/** The injection token that every `DistributedSessionModule` provides, with its {@link ModuleIdentity}. */
export const MODULE_IDENTITY = Symbol('nestjs-distributed-session module identity');

/** One `forRoot()` or `forRootAsync()`: its name. */
export class ModuleIdentity {
  constructor(readonly name: ModuleName) {}
}

type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;

/** The modules of an application, as Nest's container has them: no state of this library is global. */
export class InstalledModules {
  readonly #container: ModulesContainer;

  constructor(container: ModulesContainer) {
    this.#container = container;
  }

  /** One identity for each `forRoot()`, in the order of the application's imports. Two may have the same name. */
  get identities(): readonly ModuleIdentity[] {
    return [...this.#container.values()]
      .map((module) => instanceIn(module, MODULE_IDENTITY))
      .filter((identity) => identity instanceof ModuleIdentity);
  }

  /** The modules with their options, once Nest has instantiated them. */
  get configured(): readonly (readonly [ModuleName, ResolvedOptions])[] {
    return [...this.#container.values()].flatMap((module) => {
      const identity = instanceIn(module, MODULE_IDENTITY);
      if (!(identity instanceof ModuleIdentity)) return [];
      const options = instanceIn(module, tokenOf(RESOLVED_OPTIONS, identity.name)) as ResolvedOptions;
      return [[identity.name, options]];
    });
  }

  /** Returns whether a module has this name, or the application itself provides a manager under its token. */
  has(name: ModuleName): boolean {
    const token = tokenOf(DistributedSessionManager, name);
    return [...this.#container.values()].some((module) => module.providers.has(token));
  }

  /** Returns whether this is the first module: it does what is done once for the whole application. */
  isFirst(identity: ModuleIdentity): boolean {
    return this.identities[0] === identity;
  }

  /** The modules that exist, as an error lists them. */
  toString(): string {
    const names = this.identities.map(({ name }) => (name === undefined ? '(without a name)' : `"${name}"`));
    return names.length === 0 ? 'none' : names.toSorted().join(', ');
  }
}

function instanceIn(module: NestModule, token: symbol | ReturnType<typeof tokenOf>): unknown {
  return module.providers.get(token)?.instance;
}
