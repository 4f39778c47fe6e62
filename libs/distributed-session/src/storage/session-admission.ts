import type { SessionLimits } from './session-storage.operations.js';

/** The sessions that one more session displaces, or the limit that rejects it. */
export type Admission<T> =
  | { readonly displaced: readonly { readonly item: T; readonly reason: 'replaced' | 'limit' }[] }
  | { readonly refused: 'login' | 'device' };

/**
 * Applies the limits to one more session of a user (and device), given the live ones, oldest first. With `end-oldest`,
 * the limit per device applies first, then the limit per user to the rest.
 */
export function planAdmission<T>(
  live: readonly T[],
  deviceOf: (item: T) => string | undefined,
  { perLogin, perDevice, onLimit }: SessionLimits,
  device?: string,
): Admission<T> {
  const onDevice = device === undefined ? [] : live.filter((item) => deviceOf(item) === device);
  const overDevice = perDevice === undefined ? 0 : Math.max(0, onDevice.length + 1 - perDevice);
  const replaced = new Set(onDevice.slice(0, overDevice));
  const rest = live.filter((item) => !replaced.has(item));
  const limited = rest.slice(0, Math.max(0, rest.length + 1 - perLogin));
  if (onLimit === 'reject') {
    if (replaced.size > 0) return { refused: 'device' };
    if (limited.length > 0) return { refused: 'login' };
  }
  return {
    displaced: [
      ...Array.from(replaced, (item) => ({ item, reason: 'replaced' as const })),
      ...limited.map((item) => ({ item, reason: 'limit' as const })),
    ],
  };
}
