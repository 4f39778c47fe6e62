import type { recordValidHistory } from './valid-history.js';
import type { HistoryEditor } from './edit-history.js';
import type { Seen } from '../src/history.js';
import type { InvariantId } from '../src/invariants/invariant.js';

export type ValidCalls = Awaited<ReturnType<typeof recordValidHistory>>['calls'];

/** What makes a valid history untrue: the invariant that it breaks, what it is, what the checker says of it, and how. */
export type Damage = readonly [InvariantId, string, RegExp, (editor: HistoryEditor, calls: ValidCalls) => void];

export function sessionsOf({ result }: ValidCalls[keyof ValidCalls]): readonly Seen[] {
  return result?.sessions ?? [];
}
