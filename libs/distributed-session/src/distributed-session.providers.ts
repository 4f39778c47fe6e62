import type { FactoryProvider, InjectionToken, Provider } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, MetadataScanner, ModuleRef, ModulesContainer } from '@nestjs/core';
import {
  type DistributedSessionModuleOptions,
  MODULE_OPTIONS_TOKEN,
  optionsOfModule,
} from './distributed-session.module-options.js';
import { SessionEventSubscriber } from './events/session-event-subscriber.js';
import { GuardedHandlerInspector } from './guards/guarded-handler-inspector.js';
import { UnsupportedHandlerReporter } from './guards/unsupported-handler-reporter.js';
import { InstalledModules, MODULE_IDENTITY, ModuleIdentity } from './modules/installed-modules.js';
import { tokenOf } from './modules/module-tokens.js';
import type { ModuleName } from './options/module-selection.js';
import { RESOLVED_OPTIONS, type ResolvedOptions, resolveOptions } from './resolve-options.js';
import { SessionLifecycle } from './session-lifecycle.js';
import { DistributedSessionManager } from './session/distributed-session.manager.js';
import { ManagerParts } from './session/manager-parts.js';
import { SessionEvents } from './session/session-events.js';
import { createStorage } from './storage-source.js';
import { ServiceCredentialStorage } from './storage/service-credential-storage.js';
import { SessionStorage } from './storage/session-storage.js';

/** Returns the providers of a module. What a named module exports has a token of its own, never a class. */
export function providersOf(name: ModuleName): Provider[] {
  return [
    { provide: MODULE_IDENTITY, useValue: new ModuleIdentity(name) },
    {
      provide: InstalledModules,
      inject: [ModulesContainer],
      useFactory: (c: ModulesContainer) => new InstalledModules(c),
    },
    ...exportedProviders((token) => tokenOf(token, name), name),
    ...startupProviders(tokenOf(SessionEvents, name)),
  ];
}

function exportedProviders(token: (token: InjectionToken) => InjectionToken, name: ModuleName): FactoryProvider[] {
  return [
    {
      provide: token(SessionStorage),
      inject: [MODULE_OPTIONS_TOKEN, ModuleRef],
      useFactory: (options: DistributedSessionModuleOptions, moduleRef: ModuleRef) =>
        createStorage(options?.storage, moduleRef),
    },
    {
      provide: token(RESOLVED_OPTIONS),
      inject: [MODULE_OPTIONS_TOKEN, token(SessionStorage)],
      useFactory: (options: DistributedSessionModuleOptions, storage: SessionStorage) =>
        resolveOptions({ ...optionsOfModule(options, name), storage }),
    },
    {
      // Separate from the manager, so that a test can override the manager.
      provide: ManagerParts,
      inject: [token(RESOLVED_OPTIONS)],
      useFactory: (options: ResolvedOptions) => new ManagerParts(options),
    },
    {
      provide: token(DistributedSessionManager),
      inject: [ManagerParts],
      useFactory: (parts: ManagerParts) => new DistributedSessionManager(parts),
    },
    { provide: token(SessionEvents), inject: [ManagerParts], useFactory: ({ events }: ManagerParts) => events },
    {
      provide: token(ServiceCredentialStorage),
      inject: [token(SessionStorage)],
      useFactory: ({ services }: SessionStorage) => services,
    },
  ];
}

function startupProviders(events: InjectionToken): FactoryProvider[] {
  return [
    {
      provide: SessionLifecycle,
      inject: [ManagerParts, InstalledModules],
      useFactory: (parts: ManagerParts, modules: InstalledModules) => new SessionLifecycle(parts, modules),
    },
    {
      provide: SessionEventSubscriber,
      inject: [DiscoveryService, MetadataScanner, events, MODULE_IDENTITY, InstalledModules],
      useFactory: (...dependencies: ConstructorParameters<typeof SessionEventSubscriber>) =>
        new SessionEventSubscriber(...dependencies),
    },
    {
      provide: GuardedHandlerInspector,
      inject: [DiscoveryService, MetadataScanner, ApplicationConfig, MODULE_IDENTITY, InstalledModules],
      useFactory: (...dependencies: ConstructorParameters<typeof GuardedHandlerInspector>) =>
        new GuardedHandlerInspector(...dependencies),
    },
    {
      provide: UnsupportedHandlerReporter,
      inject: [DiscoveryService, MetadataScanner, ApplicationConfig, MODULE_IDENTITY, InstalledModules],
      useFactory: (...dependencies: ConstructorParameters<typeof UnsupportedHandlerReporter>) =>
        new UnsupportedHandlerReporter(...dependencies),
    },
  ];
}
