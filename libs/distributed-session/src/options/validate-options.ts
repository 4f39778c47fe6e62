import { type ValidationError, validateSync } from 'class-validator';
import { OptionsError } from '../errors/options.error.js';
import { unknownName } from './unknown-name.js';

/**
 * Validates options against a class whose initial values are the defaults and whose decorators are the rules. Returns
 * an instance of the class.
 *
 * @param owner - The class that takes the options, for the error's title.
 * @param given - The options as a caller wrote them. An option that is `undefined` keeps its default.
 * @param crossCheck - Returns the errors of combinations of options. It may receive invalid values.
 * @throws {OptionsError} with every error at once.
 */
export function validateOptions<T extends object>(
  owner: string,
  type: new () => T,
  given: object | undefined,
  crossCheck: (options: T) => readonly string[] = () => [],
): T {
  const options = withDefaults(type, given);
  const errors = [...errorsOf(type, options, ''), ...crossCheck(options)];
  if (errors.length > 0) throw new OptionsError(`Invalid options for ${owner}:`, errors);
  return options;
}

/** Returns the errors of an option that is an object with options, each under its path, such as `pool.size`. */
export function nestedErrors(name: string, type: new () => object, given: object): string[] {
  return errorsOf(type, withDefaults(type, given), `${name}.`);
}

/** Returns the options without those that are `null`, so that these keep their defaults. */
export function withoutNulls<T extends object>(given: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null)) as Partial<T>;
}

function withDefaults<T extends object>(type: new () => T, given: object | undefined): T {
  const present = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return Object.assign(new type(), Object.fromEntries(present));
}

function errorsOf<T extends object>(type: new () => T, options: T, path: string): string[] {
  const known = Object.keys(new type());
  const invalid = validateSync(options, { whitelist: true, forbidNonWhitelisted: true });
  return invalid.flatMap((error) => describeError(error, known, path));
}

function describeError({ property, constraints }: ValidationError, known: readonly string[], path: string): string[] {
  if (constraints?.['whitelistValidation']) return [unknownName('option', property, known, path)];
  return Object.values(constraints ?? {}).map((error) => `${path}${error}`);
}
