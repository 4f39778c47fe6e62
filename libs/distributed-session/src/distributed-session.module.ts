import {
  type FactoryProvider,
  Module,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { DiscoveryModule, ModuleRef } from '@nestjs/core';
import {
  ConfigurableModuleClass,
  type DistributedSessionModuleOptions,
  MODULE_OPTIONS_TOKEN,
  type StorageSource,
} from './distributed-session.module-definition.js';
import { SessionEventSubscriber } from './events/session-event-subscriber.js';
import { SessionEvents } from './session/session-events.js';
import { GuardedHandlerInspector } from './guards/guarded-handler-inspector.js';
import { ServiceCredentialStorage } from './storage/service-credential-storage.js';
import { SessionStorage } from './storage/session-storage.js';
import { RESOLVED_OPTIONS, type ResolvedOptions, resolveOptions } from './resolve-options.js';
import { DistributedSessionManager } from './session/distributed-session.manager.js';
import { ManagerParts } from './session/manager-parts.js';

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

/** Opens and closes the manager with the application. It closes last, when the server takes no more requests. */
@Injectable()
class SessionLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly managerParts: ManagerParts) {}

  async onModuleInit(): Promise<void> {
    await this.managerParts.connect();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.managerParts.close();
  }
}

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

/** Makes the storage that the options name. What is no storage is left to the check of the options to report. */
async function createStorage(source: StorageSource, moduleRef: ModuleRef): Promise<SessionStorage> {
  if (typeof source !== 'function') return source;
  if (isStorageClass(source)) return moduleRef.create(source);
  return isClass(source) ? source : source();
}

function isStorageClass(source: object): source is Type<SessionStorage> {
  return 'prototype' in source && source.prototype instanceof SessionStorage;
}

/** A class of something else, which cannot be called: given by mistake, and so left to the check. */
function isClass(source: () => unknown): source is typeof source & SessionStorage {
  return Function.prototype.toString.call(source).startsWith('class');
}
