import { Secret } from './secret.js';

/** A kind that a valid value may have. */
export type ValueKind = 'a string' | 'a number' | 'a boolean' | 'an object' | 'an array';

/**
 * Returns the end of an error message, such as `, not a number`, for a value of another kind than the expected ones.
 * Returns an empty string if only the content is invalid. The value may be a secret, so no message contains it.
 */
export function kindMismatch(value: unknown, ...expected: ValueKind[]): string {
  const kind = kindOf(Secret.revealed(value));
  return expected.some((one) => one === kind) ? '' : `, not ${kind}`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
