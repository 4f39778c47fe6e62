import type { InjectionToken, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { OptionsError } from '../errors/options.error.js';
import { type ModuleName, checkedModuleName } from '../options/module-selection.js';
import { Dependencies } from './class-dependencies.js';
import { InstalledModules } from './installed-modules.js';
import { EXPORTED_TOKENS, tokenOf } from './module-tokens.js';

const MODULE_OF_CLASS = Symbol('nestjs-distributed-session module of a class');

/** Nest passes the dependencies to any constructor. */
type AnyClass = Type<object>;

/** The bound classes of each class by name: Nest treats a guard as one only if its class is one. */
const boundClasses = new WeakMap<Function, Map<string, AnyClass>>();

/** Returns the module that a class, or a class that it extends, is bound to. */
export function moduleOfClass(type: Function): ModuleName {
  return Reflect.getMetadata(MODULE_OF_CLASS, type) as ModuleName;
}

/**
 * Returns the subclass that injects what the module with this name exports wherever the class injects what the module
 * without a name exports: the same class for the same name.
 *
 * @throws {OptionsError} if the name is invalid, or if the class is bound already.
 */
export function boundClass<T extends Function>(type: T, name: string): T {
  checkedModuleName(name, `${type.name}.for()`);
  if (moduleOfClass(type) !== undefined) {
    const error = `${type.name} is bound to a module already. Call for() on the class that it extends.`;
    throw new OptionsError('Invalid call of for():', [error]);
  }
  const byName = boundClasses.get(type) ?? new Map<string, AnyClass>();
  boundClasses.set(type, byName);
  const bound = byName.get(name) ?? bind(type as unknown as AnyClass, name);
  byName.set(name, bound);
  return bound as unknown as T;
}

function bind(base: AnyClass, name: string): AnyClass {
  const given = Dependencies.of(base);
  const exported = [...given.parameters.keys()].filter((index) => EXPORTED_TOKENS.includes(given.tokenAt(index)));
  const required = exported.filter((index) => !given.optional.includes(index));
  const label = `${base.name}.for('${name}')`;

  class Bound extends base {
    constructor(...values: unknown[]) {
      super(...values);
      const subclass = Dependencies.of(new.target);
      const defaults = exported.map((index) => given.tokenAt(index)).filter((token) => subclass.injects(token));
      if (defaults.some((token) => !subclass.injects(tokenOf(token, name)))) throw unbound(new.target.name, label);
      // Nest's own error would not name the modules that exist, and no check at startup comes before it.
      if (required.some((index) => values[index] === undefined)) {
        throw unusable(label, name, values[given.parameters.length] as ModulesContainer | undefined);
      }
    }
  }

  Object.defineProperty(Bound, 'name', { value: label });
  Reflect.defineMetadata(MODULE_OF_CLASS, name, Bound);
  const rename = (token: InjectionToken) => tokenOf(token, name);
  given.renamed(rename).with(ModulesContainer, required).applyTo(Bound);
  return Bound;
}

function unbound(subclass: string, label: string): OptionsError {
  return new OptionsError('A class verifies with another module than it says:', [
    `${subclass} extends ${label} and injects what the module without a name exports. Extend the class itself, and ` +
      `use ${subclass}.for() instead.`,
  ]);
}

function unusable(label: string, name: string, container: ModulesContainer | undefined): OptionsError {
  const modules = container && new InstalledModules(container);
  const error = modules?.has(name)
    ? `${label} cannot inject the module "${name}": import that module where it is used, or set its isGlobal to true.`
    : `${label} names the unknown module "${name}". The modules of this application: ${modules?.toString() ?? 'unknown'}.`;
  return new OptionsError('A module cannot be selected:', [error]);
}
