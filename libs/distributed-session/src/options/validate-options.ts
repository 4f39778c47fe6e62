import { type ValidationError, validateSync } from 'class-validator';
import { closestMatch } from 'leven';
import { OptionsError } from '../errors/options.error.js';

/** Beyond this edit distance, an unknown name is not treated as a misspelt option. */
const MAX_TYPING_DISTANCE = 4;

/**
 * Validates options against a class whose initial values are the defaults and whose decorators are the rules. Returns an
 * instance of the class.
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
  const present = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  const options = Object.assign(new type(), Object.fromEntries(present));
  const invalid = validateSync(options, { whitelist: true, forbidNonWhitelisted: true });
  const known = Object.keys(new type());
  const errors = [...invalid.flatMap((error) => describeError(error, known)), ...crossCheck(options)];
  if (errors.length > 0) throw new OptionsError(`Invalid options for ${owner}:`, errors);
  return options;
}

function describeError({ property, constraints }: ValidationError, known: readonly string[]): string[] {
  if (constraints?.['whitelistValidation']) return [unknownOption(property, known)];
  return Object.values(constraints ?? {});
}

function unknownOption(name: string, known: readonly string[]): string {
  const meant = closestMatch(name, known, { maxDistance: Math.min(MAX_TYPING_DISTANCE, name.length - 1) });
  if (meant !== undefined) return `Unknown option "${name}". Did you mean "${meant}"?`;
  return `Unknown option "${name}". Known options: ${known.toSorted().join(', ')}.`;
}
