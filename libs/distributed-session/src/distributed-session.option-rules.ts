import { DEFAULT_ATTRIBUTE_LIMITS, isPlainObject } from './model/attributes.js';
import { isWholeNumber } from './model/duration.js';
import { SERVICE_ID_RULE, isServiceId } from './model/service-id.js';
import { optionRule } from './options/option-rules.js';
import { SessionStorage } from './storage/session-storage.js';

/** Requires the form of a service id. */
export function IsServiceId(): PropertyDecorator {
  return optionRule('isServiceId', isServiceId, SERVICE_ID_RULE);
}

/** Requires an instance of a storage class. */
export function IsSessionStorage(): PropertyDecorator {
  const requirement = 'must be a SessionStorage, such as new InMemorySessionStorage()';
  return optionRule('isSessionStorage', (value) => value instanceof SessionStorage, requirement);
}

/** Requires a secret of at least 16 characters. */
export function IsPepper(): PropertyDecorator {
  const requirement = 'must be a secret of at least 16 characters, such as 32 random bytes as base64';
  return optionRule('isPepper', (value) => typeof value === 'string' && value.length >= 16, requirement);
}

/** Requires an object that sets some of the attribute limits, each to a positive whole number. */
export function IsAttributeLimits(): PropertyDecorator {
  const names = Object.keys(DEFAULT_ATTRIBUTE_LIMITS);
  const validate = (value: unknown) =>
    isPlainObject(value) &&
    Object.entries(value).every(([name, limit]) => names.includes(name) && isWholeNumber(limit, 1, maximumOf(name)));
  const requirement = `may contain only ${names.join(', ')}, each a positive whole number and maxDepth at most 100`;
  return optionRule('isAttributeLimits', validate, requirement);
}

/** Requires some of the carriers, each at most once. */
export function IsCarrierList(carriers: readonly string[]): PropertyDecorator {
  const validate = (value: unknown) =>
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((carrier) => carriers.includes(carrier as string));
  return optionRule('isCarrierList', validate, `must contain one or more of ${carriers.join(', ')}, each once`);
}

function maximumOf(limit: string): number {
  return limit === 'maxDepth' ? 100 : 2 ** 30;
}
