import type { ListedRecord, SessionTombstone } from '../session-record.js';
import { HISTORY_LIMIT } from '../session-storage.js';

/** Merges the live sessions of a user under several tags, each in the order of creation. */
export function inCreationOrder(lists: readonly (readonly ListedRecord[])[]): ListedRecord[] {
  const [first = [], ...others] = lists.filter((list) => list.length > 0);
  if (others.length === 0) return [...first];
  return [first, ...others].flat().toSorted((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0));
}

/** Merges the newest tombstones of a user under several tags, each with the last ended first. */
export function lastEndedFirst(lists: readonly (readonly SessionTombstone[])[]): SessionTombstone[] {
  const [first = [], ...others] = lists.filter((list) => list.length > 0);
  if (others.length === 0) return [...first];
  return [first, ...others]
    .flat()
    .toSorted((a, b) => b.endedAt - a.endedAt)
    .slice(0, HISTORY_LIMIT);
}
