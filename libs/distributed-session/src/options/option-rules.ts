import { ValidateBy, ValidateIf } from 'class-validator';
import { MAX_DURATION_MS, isDuration, isWholeNumber } from '../model/duration.js';

/** Creates a property decorator from a predicate and the requirement that it checks, such as `must be a URL`. */
export function optionRule(
  name: string,
  validate: (value: unknown) => boolean,
  requirement: string,
): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => `$property ${requirement}` } });
}

/** Skips the other rules if the option is `undefined`. Unlike `@IsOptional()`, it does not accept `null`. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_options, value) => value !== undefined);
}

/** Requires a whole number of milliseconds from `minimum` to `maximum`, both included. */
export function IsDuration(minimum = 1, maximum = MAX_DURATION_MS): PropertyDecorator {
  const example = Math.min(maximum, 3_600_000);
  const requirement = `must be a whole number of milliseconds from ${minimum} to ${maximum}, such as ${example}`;
  return optionRule('isDuration', (value) => isDuration(value, minimum, maximum), requirement);
}

/** Requires a whole number from `minimum` to `maximum`, both included. */
export function IsWholeNumber(minimum: number, maximum: number): PropertyDecorator {
  const validate = (value: unknown) => isWholeNumber(value, minimum, maximum);
  return optionRule('isWholeNumber', validate, `must be a whole number from ${minimum} to ${maximum}`);
}
