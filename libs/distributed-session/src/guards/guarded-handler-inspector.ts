import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { OptionsError } from '../errors/options.error.js';
import { isAnonymous, requirementsOf } from './route-requirements.js';
import { ServicePermissionGuard } from './service-permission.guard.js';

/** Nest's metadata keys for the guards of a class or method, and for the path that makes a method a route. */
const NEST_GUARDS = '__guards__';
const NEST_PATH = 'path';

/**
 * Stops the start of an application in which a route under `ServicePermissionGuard` declares no permission (ASVS
 * 8.2.1), so that a forgotten decorator is an error at startup instead of an unreachable route.
 */
@Injectable()
export class GuardedHandlerInspector implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly config: ApplicationConfig,
  ) {}

  onModuleInit(): void {
    const isGlobal = this.#globalGuards().some(isPermissionGuard);
    const undeclared = this.discovery
      .getControllers()
      .map(({ metatype }) => metatype)
      .filter((controller) => typeof controller === 'function')
      .flatMap((controller) => this.#undeclaredIn(controller, isGlobal));
    if (undeclared.length === 0) return;
    throw new OptionsError(
      'Routes under ServicePermissionGuard declare no permission:',
      undeclared.map((route) => `${route}: add @RequireServicePermission('…') or @AllowAnonymousService().`),
    );
  }

  #undeclaredIn(controller: Function, isGlobal: boolean): string[] {
    const prototype = controller.prototype as Record<string, object>;
    const onClass = isGlobal || guardsOf(controller).some(isPermissionGuard);
    return this.scanner
      .getAllMethodNames(prototype)
      .map((name) => ({ name, handler: prototype[name]! }))
      .filter(({ handler }) => Reflect.hasMetadata(NEST_PATH, handler))
      .filter(({ handler }) => onClass || guardsOf(handler).some(isPermissionGuard))
      .filter(({ handler }) => [...requirementsOf(controller), ...requirementsOf(handler)].length === 0)
      .filter(({ handler }) => !isAnonymous(this.reflector, controller, handler))
      .map(({ name }) => `${controller.name}.${name}`);
  }

  #globalGuards(): unknown[] {
    const scoped = this.config.getGlobalRequestGuards().map((wrapper) => wrapper.metatype);
    return [...this.config.getGlobalGuards(), ...scoped];
  }
}

function guardsOf(subject: object): unknown[] {
  return (Reflect.getMetadata(NEST_GUARDS, subject) as unknown[] | undefined) ?? [];
}

/** Nest accepts guards as classes and as instances. */
function isPermissionGuard(guard: unknown): boolean {
  if (typeof guard !== 'function') return guard instanceof ServicePermissionGuard;
  return guard === ServicePermissionGuard || guard.prototype instanceof ServicePermissionGuard;
}
