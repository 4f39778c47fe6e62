import { type FactoryProvider, Module } from '@nestjs/common';
import { DiscoveryModule, ModuleRef } from '@nestjs/core';
import {
  ConfigurableModuleClass,
  type DistributedSessionModuleOptions,
  MODULE_OPTIONS_TOKEN,
  RESOLVED_OPTIONS,
} from './distributed-session.module-definition.js';
import { SessionEventSubscriber } from './events/session-event-subscriber.js';
import { SessionEvents } from './events/session-events.js';
import { GuardedHandlerInspector } from './guards/guarded-handler-inspector.js';
import { createStorage } from './storage/create-storage.js';
import { ServiceCredentialStorage } from './storage/service-credential-storage.js';
import { SessionStorage } from './storage/session-storage.js';
import { type ResolvedOptions, resolveOptions } from './resolve-options.js';
import { DistributedSessionManager } from './session/distributed-session.manager.js';
import { ManagerParts } from './session/manager-parts.js';
import { SessionLifecycle } from './session/session-lifecycle.js';

const storage: FactoryProvider = {
  provide: SessionStorage,
  inject: [MODULE_OPTIONS_TOKEN, ModuleRef],
  useFactory: (options: DistributedSessionModuleOptions, moduleRef: ModuleRef) =>
    createStorage(options?.storage, moduleRef),
};

const resolvedOptions: FactoryProvider = {
  provide: RESOLVED_OPTIONS,
  inject: [MODULE_OPTIONS_TOKEN, SessionStorage],
  useFactory: (options: DistributedSessionModuleOptions, made: SessionStorage) =>
    resolveOptions({ ...options, storage: made }),
};

/** Apart from the manager, so that a test may put something else in the manager's place. */
const parts: FactoryProvider = {
  provide: ManagerParts,
  inject: [RESOLVED_OPTIONS],
  useFactory: (options: ResolvedOptions) => new ManagerParts(options),
};

const manager: FactoryProvider = {
  provide: DistributedSessionManager,
  inject: [ManagerParts],
  useFactory: (made: ManagerParts) => new DistributedSessionManager(made),
};

const events: FactoryProvider = {
  provide: SessionEvents,
  inject: [ManagerParts],
  useFactory: (made: ManagerParts) => made.events,
};

const services: FactoryProvider = {
  provide: ServiceCredentialStorage,
  inject: [SessionStorage],
  useFactory: ({ services: credentials }: SessionStorage) => credentials,
};

/** Sessions shared with other services: `DistributedSessionModule.forRoot({ serviceId, storage })`. */
@Module({
  imports: [DiscoveryModule],
  providers: [
    storage,
    resolvedOptions,
    parts,
    manager,
    events,
    services,
    SessionLifecycle,
    SessionEventSubscriber,
    GuardedHandlerInspector,
  ],
  exports: [DistributedSessionManager, SessionEvents, SessionStorage, ServiceCredentialStorage, RESOLVED_OPTIONS],
})
export class DistributedSessionModule extends ConfigurableModuleClass {}
