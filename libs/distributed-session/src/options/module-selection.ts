import { OptionsError } from '../errors/options.error.js';
import { shownName } from '../model/shown-name.js';

/**
 * Selects a module by its name, in decorators: the `name` of its `forRoot()`. Without it, a decorator applies to the
 * module without a name.
 *
 * @example
 * const selection: ModuleSelection = { module: 'admins' };
 */
export interface ModuleSelection {
  readonly module: string;
}

/** The name of a module; `undefined` for the module without a name. */
export type ModuleName = string | undefined;

/** It appears in the names of cookies and injection tokens. */
const FORM = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** TypeORM and BullMQ call the module without a name so. */
const RESERVED = 'default';
const RULE = 'must be 1 to 64 letters, digits, hyphens or underscores, beginning with a letter or digit';

/**
 * Returns the name of a module as it was given.
 *
 * @param owner - What takes the name, for the error's title.
 * @throws {OptionsError} if it has another form.
 */
export function checkedModuleName(given: unknown, owner: string): string {
  if (given === RESERVED) {
    throw new OptionsError(`Invalid name of a module for ${owner}:`, [
      'name must not be "default": leave it out for the module without a name',
    ]);
  }
  if (typeof given === 'string' && FORM.test(given)) return given;
  const found = typeof given === 'string' ? `"${shownName(given)}"` : typeof given;
  throw new OptionsError(`Invalid name of a module for ${owner}:`, [`name ${RULE}: ${found}`]);
}

/**
 * Returns the name of the selected module.
 *
 * @throws {OptionsError} if the name is invalid.
 */
export function selectedModule(selection: ModuleSelection | undefined, owner: string): ModuleName {
  return selection?.module === undefined ? undefined : checkedModuleName(selection.module, owner);
}

/** Returns whether an argument of a decorator selects a module. */
export function isModuleSelection(given: unknown): given is ModuleSelection {
  return typeof given === 'object' && given !== null && 'module' in given;
}

/** Returns a module as messages call it. */
export function shownModule(name: ModuleName): string {
  return name === undefined ? 'the module without a name' : `the module "${name}"`;
}
