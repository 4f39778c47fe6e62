import { ValidateBy, ValidateIf } from 'class-validator';
import { MAX_DURATION_MS, isDuration } from '../model/duration.js';

/** A property decorator from a predicate and its requirement, such as `must be a whole number`. */
export function optionRule(
  name: string,
  validate: (value: unknown) => boolean,
  requirement: string,
): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => `$property ${requirement}` } });
}

/** Skips the other rules if the option is not given. Unlike `@IsOptional()`, it does not accept `null`. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_options, value) => value !== undefined);
}

/** A whole number of milliseconds within the bounds, both included. */
export function IsDuration(minimum = 1, maximum = MAX_DURATION_MS): PropertyDecorator {
  const requirement = `must be a whole number of milliseconds from ${minimum} to ${maximum}, such as ${Math.min(maximum, 3_600_000)}`;
  return optionRule('isDuration', (value) => isDuration(value, minimum, maximum), requirement);
}

/** A whole number within the bounds, both included. */
export function IsWholeNumber(minimum: number, maximum: number): PropertyDecorator {
  const validate = (value: unknown) => isWholeNumber(value, minimum, maximum);
  return optionRule('isWholeNumber', validate, `must be a whole number from ${minimum} to ${maximum}`);
}

export function isWholeNumber(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}
