import { ConfigurableModuleBuilder, type Type } from '@nestjs/common';
import type { DistributedSessionOptionsInput } from './resolve-options.js';
import type { SessionStorage } from './storage/session-storage.js';

/**
 * A storage: an instance, a class that Nest instantiates with its dependencies, or a factory function.
 *
 * @example
 * const source: StorageSource = () => new RedisSessionStorage({ url: process.env.REDIS_URL });
 */
export type StorageSource = SessionStorage | Type<SessionStorage> | (() => SessionStorage | Promise<SessionStorage>);

/** The options of `DistributedSessionModule.forRoot()`: those of the manager, with any {@link StorageSource}. */
export type DistributedSessionModuleOptions = Omit<DistributedSessionOptionsInput, 'storage'> & {
  readonly storage: StorageSource;
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<DistributedSessionModuleOptions>({ moduleName: 'DistributedSession' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
