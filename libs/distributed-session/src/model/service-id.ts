import { INPUT_LIMITS } from './input-limits.js';

/**
 * The form of a service id. It contains no colon, because it is the user name of HTTP Basic (RFC 7617).
 *
 * @example
 * const schema = { type: 'string', pattern: SERVICE_ID_PATTERN.source };
 */
export const SERVICE_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * The rule that a service id must fulfil, as an error message states it after the name of the field.
 *
 * @example
 * throw new Error(`SHOP_SERVICE_ID ${SERVICE_ID_RULE}`);
 */
export const SERVICE_ID_RULE =
  `must be 1 to ${INPUT_LIMITS.maxServiceIdLength} letters, digits, dots, hyphens or underscores, ` +
  'beginning with a letter or digit';

/** Returns whether a value has the form of a service id. */
export function isServiceId(value: unknown): value is string {
  return typeof value === 'string' && SERVICE_ID_PATTERN.test(value);
}

/**
 * Returns what remains of a service id without case and separators. Ids with the same skeleton look alike: `pay.ment`,
 * `Pay-Ment` and `payment`.
 *
 * @example
 * const areAlike = serviceIdSkeleton('Order.1') === serviceIdSkeleton('order1'); // true
 */
export function serviceIdSkeleton(serviceId: string): string {
  return serviceId.toLowerCase().replaceAll(/[._-]/g, '');
}
