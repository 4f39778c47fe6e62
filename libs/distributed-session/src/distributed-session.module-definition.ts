import { ConfigurableModuleBuilder, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { type DistributedSessionOptionsInput, withSealedSecrets } from './resolve-options.js';
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

export const MODULE_OPTIONS_TOKEN = Symbol('nestjs-distributed-session module options');

export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<DistributedSessionModuleOptions>({
  optionsInjectionToken: MODULE_OPTIONS_TOKEN,
})
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: false }, ({ providers = [], ...definition }: DynamicModule, { isGlobal }) => ({
    ...definition,
    providers: providers.map(sealOptions),
    global: isGlobal,
  }))
  .build();

/** Nest keeps the options as a provider, which debuggers and development tools show. */
function sealOptions(provider: Provider): Provider {
  if (!('provide' in provider) || provider.provide !== MODULE_OPTIONS_TOKEN) return provider;
  if ('useValue' in provider) return { ...provider, useValue: withSealedSecrets(provider.useValue as object) };
  if (!('useFactory' in provider)) return provider;
  const { useFactory } = provider;
  return {
    ...provider,
    useFactory: async (...dependencies: unknown[]) =>
      withSealedSecrets((await useFactory(...dependencies)) as object | undefined),
  };
}
