export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Ten years: longer than any session, and far below the times at which adding would lose whole milliseconds. */
export const MAX_DURATION_MS = 3_650 * DAY_MS;

/** Whether a value is a whole number of milliseconds within the bounds, both included. */
export function isDuration(value: unknown, minimum = 1, maximum = MAX_DURATION_MS): value is number {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}
