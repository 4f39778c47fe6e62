import { Secret } from './secret.js';

/**
 * An entry in place of a key: values are also stored and accepted without one.
 *
 * @example
 * const secretPepper = [process.env.SECRET_PEPPER!, NO_KEY];
 */
export const NO_KEY = 'none';

/** The maximum number of entries of a key. */
export const MAX_KEYS = 10;

/**
 * A key, or several while it is changed. What is stored from now on is stored under each entry, and read under any; the
 * first entry is the one to stay. {@link NO_KEY} as an entry stands for no key.
 */
export type KeyOption = string | Secret | readonly (string | Secret)[];

/** Returns whether a value is a key, or a list of different keys, each {@link NO_KEY} or at least `minLength` characters long. */
export function isKeyOption(value: unknown, minLength: number): boolean {
  const entries = (Array.isArray(value) ? value : [value]).map((entry) => Secret.revealed(entry as unknown));
  const isKey = (entry: unknown) => typeof entry === 'string' && (entry === NO_KEY || entry.length >= minLength);
  const isListed = entries.length > 0 && entries.length <= MAX_KEYS;
  return isListed && entries.every(isKey) && new Set(entries).size === entries.length;
}
