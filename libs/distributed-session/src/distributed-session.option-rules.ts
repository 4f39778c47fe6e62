import { DEFAULT_ATTRIBUTE_LIMITS, isPlainObject } from './model/attributes.js';
import { isWholeNumber } from './model/duration.js';
import { MAX_KEYS, NO_KEY, isKeyOption } from './model/key-list.js';
import { SERVICE_ID_RULE, isServiceId } from './model/service-id.js';
import { optionRule } from './options/option-rules.js';
import { SessionStorage } from './storage/session-storage.js';

/** Requires the form of a service id. */
export function IsServiceId(): PropertyDecorator {
  return optionRule('isServiceId', isServiceId, SERVICE_ID_RULE, 'a string');
}

/** Requires an instance of a storage class. */
export function IsSessionStorage(): PropertyDecorator {
  const requirement = 'must be a SessionStorage, such as new InMemorySessionStorage()';
  return optionRule('isSessionStorage', (value) => value instanceof SessionStorage, requirement, 'an object');
}

/** Requires a key of at least 16 characters, or a list of them. */
export function IsPepper(): PropertyDecorator {
  return isKey('isPepper', 16);
}

/** Requires a key of at least 32 characters, or a list of them. */
export function IsTokenKey(): PropertyDecorator {
  return isKey('isTokenKey', 32);
}

function isKey(name: string, minLength: number): PropertyDecorator {
  const form = `a secret of at least ${minLength} characters, such as 32 random bytes as base64`;
  const list = `a list of 1 to ${MAX_KEYS} different ones, in which '${NO_KEY}' stands for no key`;
  return optionRule(name, (value) => isKeyOption(value, minLength), `must be ${form}, or ${list}`, 'a string');
}

/** Requires an object that sets some of the attribute limits, each to a positive whole number. */
export function IsAttributeLimits(): PropertyDecorator {
  const names = Object.keys(DEFAULT_ATTRIBUTE_LIMITS);
  const validate = (value: unknown) =>
    isPlainObject(value) &&
    Object.entries(value).every(([name, limit]) => names.includes(name) && isWholeNumber(limit, 1, maximumOf(name)));
  const limits = 'each a positive whole number and maxDepth at most 100';
  const requirement = `must be an object with only ${names.join(', ')}, ${limits}`;
  return optionRule('isAttributeLimits', validate, requirement, 'an object');
}

/** Requires a part of a whole. */
export function IsShare(): PropertyDecorator {
  return optionRule('isShare', isShare, 'must be a number above 0 and at most 1, such as 0.5', 'a number');
}

/** Requires some of the carriers, each at most once. */
export function IsCarrierList(carriers: readonly string[]): PropertyDecorator {
  const validate = (value: unknown) =>
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((carrier) => carriers.includes(carrier as string));
  const requirement = `must be an array of one or more of ${carriers.join(', ')}, each once`;
  return optionRule('isCarrierList', validate, requirement, 'an array');
}

/** Requires the name of a cookie (RFC 6265). */
export function IsCookieName(): PropertyDecorator {
  return optionRule(
    'isCookieName',
    isCookieName,
    'must be a cookie name (RFC 6265), such as __Host-session',
    'a string',
  );
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value <= 1;
}

function isCookieName(value: unknown): boolean {
  return typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value);
}

function maximumOf(limit: string): number {
  return limit === 'maxDepth' ? 100 : 2 ** 30;
}
