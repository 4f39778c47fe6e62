import type { OnModuleInit } from '@nestjs/common';
import { type ApplicationConfig, type DiscoveryService, type MetadataScanner, Reflector } from '@nestjs/core';
import { OptionsError } from '../errors/options.error.js';
import type { InstalledModules, ModuleIdentity } from '../modules/installed-modules.js';
import type { ModuleName } from '../options/module-selection.js';
import { GuardedRoute, globalGuardsOf } from './guarded-route.js';
import { faultsOf } from './route-faults.js';
import { isAnonymous } from './route-requirements.js';

/** Nest's metadata key for the path that makes a method a route. */
const NEST_PATH = 'path';

/**
 * Stops the start of an application whose routes are not guarded as they are declared (ASVS 8.2.1, 8.3.1), so that a
 * forgotten or contradictory decorator is an error at startup instead of an open or unreachable route.
 */
export class GuardedHandlerInspector implements OnModuleInit {
  readonly #reflector = new Reflector();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly config: ApplicationConfig,
    private readonly module: ModuleIdentity,
    private readonly modules: InstalledModules,
  ) {}

  /** @throws {OptionsError} with the faults of all routes. */
  onModuleInit(): void {
    if (!this.modules.isFirst(this.module)) return;
    const globalGuards = globalGuardsOf(this.config);
    // A controller may belong to several modules.
    const controllers = new Set(this.discovery.getControllers().map(({ metatype }) => metatype));
    const faults = [...controllers]
      .filter((controller) => typeof controller === 'function')
      .flatMap((controller) => this.#faultsIn(controller, globalGuards));
    if (faults.length > 0) throw new OptionsError('Routes are not guarded as they are declared:', faults);
  }

  #faultsIn(controller: Function, globalGuards: readonly unknown[]): string[] {
    const prototype = controller.prototype as Record<string, object>;
    return this.scanner
      .getAllMethodNames(prototype)
      .filter((name) => Reflect.hasMetadata(NEST_PATH, prototype[name]!))
      .flatMap((name) => {
        const allowsAnonymous = (module: ModuleName) =>
          isAnonymous(this.#reflector, controller, prototype[name]!, module);
        return faultsOf(new GuardedRoute(globalGuards, controller, name), allowsAnonymous, this.modules);
      });
  }
}
