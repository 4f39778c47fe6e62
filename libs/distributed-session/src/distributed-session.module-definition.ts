import { ConfigurableModuleBuilder, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import {
  type DistributedSessionModuleExtras,
  type DistributedSessionModuleOptions,
  MODULE_OPTIONS_TOKEN,
} from './distributed-session.module-options.js';
import { providersOf } from './distributed-session.providers.js';
import { EXPORTED_TOKENS, tokenOf } from './modules/module-tokens.js';
import { checkedModuleName } from './options/module-selection.js';
import { withSealedSecrets } from './resolve-options.js';

export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<DistributedSessionModuleOptions>({
  optionsInjectionToken: MODULE_OPTIONS_TOKEN,
  // Nest must not take two calls with equal options for one module: they collide, and the error says so.
  alwaysTransient: true,
})
  .setClassMethodName('forRoot')
  .setExtras<DistributedSessionModuleExtras>({ isGlobal: false, name: undefined }, defineModule)
  .build();

function defineModule(
  { imports = [], providers = [], ...definition }: DynamicModule,
  { isGlobal = false, name }: DistributedSessionModuleExtras,
): DynamicModule {
  if (name !== undefined) checkedModuleName(name, 'DistributedSessionModule');
  return {
    ...definition,
    imports: [DiscoveryModule, ...imports],
    providers: [...providers.map(sealOptions), ...providersOf(name)],
    exports: EXPORTED_TOKENS.map((token) => tokenOf(token, name)),
    global: isGlobal,
  };
}

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
