/**
 * The limits that the manager's arguments must respect. Lengths are in UTF-16 code units. Attributes have their own
 * limits, which are options: `attributeLimits`.
 *
 * @example
 * const schema = { type: 'string', minLength: 1, maxLength: INPUT_LIMITS.maxLoginIdLength };
 */
export const INPUT_LIMITS = Object.freeze({
  maxLoginIdLength: 256,
  maxDeviceLength: 64,
  maxActorLength: 256,
  maxClientIpLength: 64,
  maxUserAgentLength: 1_024,
  /** Fits a signed token; most browsers cut a cookie off at 4,096 bytes. */
  maxTokenLength: 4_000,
  /** Keys in the `remove` list of one attribute patch. */
  maxRemovedKeys: 10_000,
  /** Entries of one page. */
  maxPageSize: 1_000,
  maxCursorLength: 512,
  maxServiceIdLength: 128,
  maxServiceNameLength: 128,
  maxServicePermissions: 100,
  maxPermissionLength: 256,
  minServiceSecretLength: 12,
  maxServiceSecretLength: 512,
});

/** The number of entries on a page if the caller sets no limit. */
export const DEFAULT_PAGE_SIZE = 100;
