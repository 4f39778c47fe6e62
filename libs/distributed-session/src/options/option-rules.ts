import { ValidateBy, ValidateIf } from 'class-validator';
import { MAX_DURATION_MS, isDuration, isWholeNumber } from '../model/duration.js';
import { type ValueKind, kindMismatch } from '../model/value-kind.js';

/**
 * Creates a property decorator from a predicate and the requirement that it checks, such as `must be a URL`. With the
 * `kind` of the valid values, the error names another kind: `url must be a URL, not a number`.
 */
export function optionRule(
  name: string,
  validate: (value: unknown) => boolean,
  requirement: string,
  kind?: ValueKind,
): PropertyDecorator {
  const defaultMessage = ({ value }: { value?: unknown } = {}) =>
    `$property ${requirement}${kind === undefined ? '' : kindMismatch(value, kind)}`;
  return ValidateBy({ name, validator: { validate, defaultMessage } });
}

/** Skips the other rules if the option is `undefined`. Unlike `@IsOptional()`, it does not accept `null`. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_options, value) => value !== undefined);
}

/** Requires a whole number of milliseconds from `minimum` to `maximum`, both included. */
export function IsDuration(minimum = 1, maximum = MAX_DURATION_MS): PropertyDecorator {
  const example = Math.min(maximum, 3_600_000);
  const requirement = `must be a whole number of milliseconds from ${minimum} to ${maximum}, such as ${example}`;
  return optionRule('isDuration', (value) => isDuration(value, minimum, maximum), requirement, 'a number');
}

/** Requires a whole number from `minimum` to `maximum`, both included. */
export function IsWholeNumber(minimum: number, maximum: number): PropertyDecorator {
  const validate = (value: unknown) => isWholeNumber(value, minimum, maximum);
  return optionRule('isWholeNumber', validate, `must be a whole number from ${minimum} to ${maximum}`, 'a number');
}

/** Requires one of two or more texts. */
export function IsOneOf(texts: readonly string[]): PropertyDecorator {
  const quoted = texts.map((text) => `'${text}'`);
  const requirement = `must be ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
  return optionRule('isOneOf', (value) => texts.includes(value as string), requirement, 'a string');
}
