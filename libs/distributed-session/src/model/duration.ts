export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/**
 * The longest duration that options and timeouts accept: ten years, in milliseconds.
 *
 * @example
 * const schema = { type: 'integer', minimum: 1, maximum: MAX_DURATION_MS };
 */
export const MAX_DURATION_MS = 3_650 * DAY_MS;

/** Returns whether a value is a whole number from `minimum` to `maximum`, both included. */
export function isWholeNumber(value: unknown, minimum: number, maximum: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}

/** Returns whether a value is a whole number of milliseconds from `minimum` to `maximum`, both included. */
export function isDuration(value: unknown, minimum = 1, maximum = MAX_DURATION_MS): value is number {
  return isWholeNumber(value, minimum, maximum);
}
