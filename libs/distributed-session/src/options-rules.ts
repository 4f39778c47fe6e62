import { ValidateBy, ValidateIf } from 'class-validator';
import { isPlainObject } from './session/attribute-value.js';
import { DEFAULT_ATTRIBUTE_LIMITS } from './session/attribute-limits.js';
import { MAX_DURATION_MS, isDuration } from './session/session-timeouts.js';
import { SessionStorage } from './storage/session-storage.js';
import { SERVICE_ID_RULE, isServiceId } from './service/service-id.js';

function rule(name: string, validate: (value: unknown) => boolean, requirement: string): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => `$property ${requirement}` } });
}

/** Leaves out what is not given. Unlike `@IsOptional()`, it does not let `null` pass for that. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_options, value) => value !== undefined);
}

export function IsServiceId(): PropertyDecorator {
  return rule('isServiceId', isServiceId, SERVICE_ID_RULE);
}

export function IsSessionStorage(): PropertyDecorator {
  const requirement = 'must be a SessionStorage, such as new InMemorySessionStorage()';
  return rule('isSessionStorage', (value) => value instanceof SessionStorage, requirement);
}

export function IsDuration(minimum = 1): PropertyDecorator {
  const requirement = `must be a whole number of milliseconds, ${minimum} to ${MAX_DURATION_MS}, such as 3_600_000`;
  return rule('isDuration', (value) => isDuration(value, minimum), requirement);
}

export function IsWholeNumber(minimum: number, maximum: number): PropertyDecorator {
  const validate = (value: unknown) => isWholeNumber(value, minimum, maximum);
  return rule('isWholeNumber', validate, `must be a whole number, ${minimum} to ${maximum}`);
}

export function IsPepper(): PropertyDecorator {
  return rule('isPepper', isPepper, 'must be a secret of at least 16 characters, such as 32 random bytes as base64');
}

/** An object that sets some of the limits of attributes, each to a whole number from 1 on. */
export function IsAttributeLimits(): PropertyDecorator {
  const names = Object.keys(DEFAULT_ATTRIBUTE_LIMITS);
  const validate = (value: unknown) =>
    isPlainObject(value) &&
    Object.entries(value).every(([name, limit]) => names.includes(name) && isWholeNumber(limit, 1, highest(name)));
  const requirement = `may set ${names.join(', ')}, each to a whole number from 1 on, maxDepth to 100 at the most`;
  return rule('isAttributeLimits', validate, requirement);
}

function isPepper(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 16;
}

function highest(limit: string): number {
  return limit === 'maxDepth' ? 100 : 2 ** 30;
}

function isWholeNumber(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}
