import { DEFAULT_ATTRIBUTE_LIMITS, isPlainObject } from './model/attributes.js';
import { SERVICE_ID_RULE, isServiceId } from './model/service-id.js';
import { isWholeNumber, optionRule } from './options/option-rules.js';
import { SessionStorage } from './storage/session-storage.js';

export function IsServiceId(): PropertyDecorator {
  return optionRule('isServiceId', isServiceId, SERVICE_ID_RULE);
}

export function IsSessionStorage(): PropertyDecorator {
  const requirement = 'must be a SessionStorage, such as new InMemorySessionStorage()';
  return optionRule('isSessionStorage', (value) => value instanceof SessionStorage, requirement);
}

export function IsPepper(): PropertyDecorator {
  const requirement = 'must be a secret of at least 16 characters, such as 32 random bytes as base64';
  return optionRule('isPepper', (value) => typeof value === 'string' && value.length >= 16, requirement);
}

/** An object that sets some of the attribute limits, each to a positive whole number. */
export function IsAttributeLimits(): PropertyDecorator {
  const names = Object.keys(DEFAULT_ATTRIBUTE_LIMITS);
  const validate = (value: unknown) =>
    isPlainObject(value) &&
    Object.entries(value).every(([name, limit]) => names.includes(name) && isWholeNumber(limit, 1, maximumOf(name)));
  const requirement = `may contain ${names.join(', ')}, each a positive whole number, maxDepth at most 100`;
  return optionRule('isAttributeLimits', validate, requirement);
}

function maximumOf(limit: string): number {
  return limit === 'maxDepth' ? 100 : 2 ** 30;
}
