import { Inject, type InjectionToken } from '@nestjs/common';
import { type ModuleName, checkedModuleName } from '../options/module-selection.js';
import { RESOLVED_OPTIONS } from '../resolve-options.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import { SessionEvents } from '../session/session-events.js';
import { ServiceCredentialStorage } from '../storage/service-credential-storage.js';
import { SessionStorage } from '../storage/session-storage.js';

/** What a module exports: the token of the module without a name, and the noun in the token of a named one. */
const EXPORTED = new Map<InjectionToken, string>([
  [DistributedSessionManager, 'DistributedSessionManager'],
  [SessionEvents, 'SessionEvents'],
  [SessionStorage, 'SessionStorage'],
  [ServiceCredentialStorage, 'ServiceCredentialStorage'],
  [RESOLVED_OPTIONS, 'ResolvedOptions'],
]);

/** The tokens that the module without a name exports. */
export const EXPORTED_TOKENS: readonly InjectionToken[] = [...EXPORTED.keys()];

/** Returns the token of a module with this name. A token that no module exports stays as it is. */
export function tokenOf(token: InjectionToken, module: ModuleName): InjectionToken {
  const noun = EXPORTED.get(token);
  return module === undefined || noun === undefined ? token : `${noun} of the module "${module}"`;
}

/**
 * Returns the injection token of a module's manager: a string, or without a name `DistributedSessionManager` itself.
 *
 * @example
 * const admins = app.get<DistributedSessionManager>(getDistributedSessionManagerToken('admins'), { strict: false });
 *
 * @throws {OptionsError} if the name is invalid.
 */
export function getDistributedSessionManagerToken(name?: string): InjectionToken<DistributedSessionManager> {
  return publicToken(DistributedSessionManager, name);
}

/**
 * Returns the injection token of a module's events; see {@link getDistributedSessionManagerToken}.
 *
 * @example
 * const factory = { provide: 'ENDS', inject: [getSessionEventsToken('admins')], useFactory: (e: SessionEvents) => e.all };
 */
export function getSessionEventsToken(name?: string): InjectionToken<SessionEvents> {
  return publicToken(SessionEvents, name);
}

/**
 * Returns the injection token of a module's storage; see {@link getDistributedSessionManagerToken}.
 *
 * @example
 * builder.overrideProvider(getSessionStorageToken('admins')).useValue(new InMemorySessionStorage());
 */
export function getSessionStorageToken(name?: string): InjectionToken<SessionStorage> {
  return publicToken(SessionStorage, name);
}

/**
 * Returns the injection token of a module's `ServiceCredentialStorage`; see {@link getDistributedSessionManagerToken}.
 *
 * @example
 * const services = app.get(getServiceCredentialStorageToken('admins'), { strict: false });
 */
export function getServiceCredentialStorageToken(name?: string): InjectionToken<ServiceCredentialStorage> {
  return publicToken(ServiceCredentialStorage, name);
}

/**
 * Returns the injection token of a module's `ResolvedOptions`: a string, or without a name {@link RESOLVED_OPTIONS}.
 *
 * @example
 * const options = app.get<ResolvedOptions>(getResolvedOptionsToken('admins'), { strict: false });
 */
export function getResolvedOptionsToken(name?: string): InjectionToken {
  return publicToken(RESOLVED_OPTIONS, name);
}

/**
 * Injects the manager of the module with this name.
 *
 * @example
 * constructor(@InjectDistributedSessionManager('admins') private readonly admins: DistributedSessionManager) {}
 */
export function InjectDistributedSessionManager(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getDistributedSessionManagerToken(name));
}

/**
 * Injects the events of the module with this name.
 *
 * @example
 * constructor(@InjectSessionEvents('admins') events: SessionEvents) {}
 */
export function InjectSessionEvents(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getSessionEventsToken(name));
}

/**
 * Injects the storage of the module with this name.
 *
 * @example
 * constructor(@InjectSessionStorage('admins') private readonly storage: SessionStorage) {}
 */
export function InjectSessionStorage(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getSessionStorageToken(name));
}

/**
 * Injects the `ServiceCredentialStorage` of the module with this name.
 *
 * @example
 * constructor(@InjectServiceCredentialStorage('admins') private readonly services: ServiceCredentialStorage) {}
 */
export function InjectServiceCredentialStorage(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getServiceCredentialStorageToken(name));
}

/**
 * Injects the {@link ResolvedOptions} of the module with this name.
 *
 * @example
 * constructor(@InjectResolvedOptions('admins') private readonly options: ResolvedOptions) {}
 */
export function InjectResolvedOptions(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getResolvedOptionsToken(name));
}

function publicToken<T>(token: InjectionToken<T>, name: string | undefined): InjectionToken<T> {
  return tokenOf(token, name === undefined ? undefined : checkedModuleName(name, 'an injection token'));
}
