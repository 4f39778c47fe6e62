import type { SessionRecord } from './session-record.js';
import type { SessionLimits } from './session-storage.operations.js';

/** The sessions that one more session displaces, or the limit that rejects it. */
export type Admission<T> =
  | { readonly displaced: readonly { readonly item: T; readonly reason: 'replaced' | 'limit' }[] }
  | { readonly refused: 'login' | 'device' };

/** What an admission depends on. */
export type AdmissionRecord = Pick<SessionRecord, 'device' | 'lastAccessedAt'>;

/**
 * Applies the limits to one more session of a user (and device), given the live ones, oldest first. Unless `onLimit` is
 * `reject`, the limit per device applies first, then the limit per user to the rest. `end-idlest` displaces the least
 * recently used sessions; of those with the same last access, the oldest.
 */
export function planAdmission<T>(
  live: readonly T[],
  recordOf: (item: T) => AdmissionRecord,
  { perLogin, perDevice, onLimit }: SessionLimits,
  device?: string,
): Admission<T> {
  const onDevice = device === undefined ? [] : live.filter((item) => recordOf(item).device === device);
  const overDevice = perDevice === undefined ? 0 : Math.max(0, onDevice.length + 1 - perDevice);
  const inOrder = (items: readonly T[]) =>
    onLimit === 'end-idlest'
      ? items.toSorted((a, b) => recordOf(a).lastAccessedAt - recordOf(b).lastAccessedAt)
      : items;
  const replaced = new Set(overDevice > 0 ? inOrder(onDevice).slice(0, overDevice) : []);
  const rest = live.filter((item) => !replaced.has(item));
  const overLogin = Math.max(0, rest.length + 1 - perLogin);
  const limited = overLogin > 0 ? inOrder(rest).slice(0, overLogin) : [];
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
