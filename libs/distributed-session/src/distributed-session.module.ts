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
import { GuardedHandlerInspector } from './guards/guarded-handler-inspector.js';
import { RESOLVED_OPTIONS, type ResolvedOptions, resolveOptions } from './resolve-options.js';
import { DistributedSessionManager } from './session/distributed-session.manager.js';
import { ManagerParts } from './session/manager-parts.js';
import { SessionEvents } from './session/session-events.js';
import { ServiceCredentialStorage } from './storage/service-credential-storage.js';
import { SessionStorage } from './storage/session-storage.js';

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

/** Separate from the manager, so that a test can override the manager. */
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

/** Connects the manager at startup, and closes it after the server has stopped accepting requests. */
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

/**
 * Provides the {@link DistributedSessionManager}, the events and the dependencies of the guards. `forRootAsync()` takes
 * `useFactory`, `useClass` or `useExisting`. Set `isGlobal: true` to import it once for all modules.
 *
 * @example
 * import { DistributedSessionModule, InMemorySessionStorage } from 'nestjs-distributed-session';
 *
 * const sessions = DistributedSessionModule.forRoot({
 *   serviceId: 'order',
 *   storage: new InMemorySessionStorage(),
 * });
 *
 * @throws {OptionsError} at startup, with every invalid option at once.
 */
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

/** Creates the storage. An invalid source is returned as it is: the validation of the options reports it. */
async function createStorage(source: StorageSource, moduleRef: ModuleRef): Promise<SessionStorage> {
  if (typeof source !== 'function') return source;
  if (isStorageClass(source)) return moduleRef.create(source);
  return isClass(source) ? source : source();
}

function isStorageClass(source: object): source is Type<SessionStorage> {
  return 'prototype' in source && source.prototype instanceof SessionStorage;
}

/** Returns whether a source is a class but not a storage class. It cannot be called, so the validation reports it. */
function isClass(source: () => unknown): source is typeof source & SessionStorage {
  return Function.prototype.toString.call(source).startsWith('class');
}
