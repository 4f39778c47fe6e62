import { ConfigurableModuleBuilder, type Type } from '@nestjs/common';
import type { DistributedSessionOptionsInput } from './resolve-options.js';
import type { SessionStorage } from './storage/session-storage.js';

/** The storage: an instance, a class that Nest creates with what it injects, or a function that makes one. */
export type StorageSource = SessionStorage | Type<SessionStorage> | (() => SessionStorage | Promise<SessionStorage>);

/** What `forRoot()` takes: the options of the manager, with a storage that may still have to be made. */
export type DistributedSessionModuleOptions = Omit<DistributedSessionOptionsInput, 'storage'> & {
  readonly storage: StorageSource;
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<DistributedSessionModuleOptions>({ moduleName: 'DistributedSession' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
