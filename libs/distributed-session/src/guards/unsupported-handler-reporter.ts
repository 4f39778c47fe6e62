import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type ApplicationConfig, type DiscoveryService, type MetadataScanner, Reflector } from '@nestjs/core';
import type { InstalledModules, ModuleIdentity } from '../modules/installed-modules.js';
import { PARAMETER_READERS } from './decorators.js';
import { GuardedRoute, globalGuardsOf } from './guarded-route.js';
import { isAnonymous } from './route-requirements.js';
import { ServiceAuthGuard } from './service-auth.guard.js';
import { ServicePermissionGuard } from './service-permission.guard.js';
import { SessionGuard } from './session.guard.js';

/** The metadata keys with which Nest's packages mark handlers, and the transport that calls them. */
const HANDLERS: Readonly<Record<string, string>> = {
  'microservices:pattern': 'rpc',
  'websockets:message_mapping': 'ws',
  'graphql:resolver_type': 'graphql',
};

/** Nest applies global guards to these; to `rpc` only if the application is started so. */
const GLOBALLY_GUARDED = ['ws', 'graphql'];

/** Logs at the start which handlers will refuse every call, because the guards can only judge HTTP requests. */
export class UnsupportedHandlerReporter implements OnApplicationBootstrap {
  readonly #logger = new Logger('DistributedSessionModule');
  readonly #reflector = new Reflector();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly config: ApplicationConfig,
    private readonly module: ModuleIdentity,
    private readonly modules: InstalledModules,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.modules.isFirst(this.module)) return;
    const wrappers = [...this.discovery.getControllers(), ...this.discovery.getProviders()];
    const classes = new Set(wrappers.map(({ metatype }) => metatype).filter((type) => typeof type === 'function'));
    const handlers = [...classes].flatMap((type) => this.#refusingIn(type));
    if (handlers.length === 0) return;
    this.#logger.warn(
      `These handlers refuse every call, because sessions and services are authenticated over HTTP only: ` +
        `${handlers.join(', ')}. Use a guard of your own there, or serve them over HTTP.`,
    );
  }

  #refusingIn(type: Function): string[] {
    const prototype = type.prototype as Record<string, object> | undefined;
    if (!prototype) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const transport = transportOf(prototype[name]!);
      if (transport === undefined) return [];
      const globalGuards = GLOBALLY_GUARDED.includes(transport) ? globalGuardsOf(this.config) : [];
      const route = new GuardedRoute(globalGuards, type, name);
      const refusal = this.#refusalOf(route, type, prototype[name]!);
      return refusal === undefined ? [] : [`${route.name} (${transport}, ${refusal})`];
    });
  }

  /** Returns the guard or the decorators that refuse every call of a handler. */
  #refusalOf(route: GuardedRoute, type: Function, handler: object): string | undefined {
    for (const module of route.modules) {
      const mayBeAnonymous = isAnonymous(this.#reflector, type, handler, module);
      const guards = [SessionGuard, ServiceAuthGuard, ...(mayBeAnonymous ? [] : [ServicePermissionGuard])];
      const guard = guards.find((one) => route.positionOf(one, module) >= 0);
      if (guard) return guard.name;
      if (route.parameterReaders(module).some((reader) => PARAMETER_READERS.has(reader))) return 'its parameters';
    }
    return undefined;
  }
}

function transportOf(handler: object): string | undefined {
  return Object.entries(HANDLERS).find(([key]) => Reflect.hasMetadata(key, handler))?.[1];
}
