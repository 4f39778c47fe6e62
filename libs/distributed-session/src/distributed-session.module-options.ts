import type { Type } from '@nestjs/common';
import { OptionsError } from './errors/options.error.js';
import type { ModuleName } from './options/module-selection.js';
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

/** The options that Nest requires before it creates a module. */
export interface DistributedSessionModuleExtras {
  /**
   * The name of the module, if the application has several: 1 to 64 letters, digits, hyphens or underscores, beginning
   * with a letter or digit.
   *
   * @default none
   */
  readonly name?: string | undefined;
  /**
   * Whether the module is available to modules that do not import it.
   *
   * @default false
   */
  readonly isGlobal?: boolean | undefined;
}

export const MODULE_OPTIONS_TOKEN = Symbol('nestjs-distributed-session module options');

/**
 * Returns the options of a module with the defaults that depend on its name: its own cookie, because one cookie cannot
 * hold the sessions of two modules.
 *
 * @throws {OptionsError} if they contain what Nest has to know before it creates the module.
 */
export function optionsOfModule<T extends Partial<DistributedSessionModuleOptions> | undefined>(
  options: T,
  name: ModuleName,
): T {
  if (typeof options !== 'object' || options === null) return options;
  const misplaced = ['name', 'isGlobal'].filter((key) => key in options);
  if (misplaced.length > 0) {
    throw new OptionsError('Invalid options for DistributedSessionModule:', misplaced.map(shownMisplaced));
  }
  if (name === undefined || options.sessionCookieName !== undefined) return options;
  return { ...options, sessionCookieName: `__Host-session-${name}` };
}

function shownMisplaced(key: string): string {
  return `${key} cannot come from a factory: set it beside the factory, as in forRootAsync({ ${key}: …, useFactory })`;
}
