import type { recordGoodHistory } from './good-history.js';
import type { HistoryEditor } from './edit-history.js';
import type { Seen } from '../src/history.js';
import type { InvariantId } from '../src/invariants/invariant.js';

export type GoodCalls = Awaited<ReturnType<typeof recordGoodHistory>>['calls'];

/** What makes a good history untrue: the invariant that it breaks, what it is, what the checker says of it, and how. */
export type Damage = readonly [InvariantId, string, RegExp, (editor: HistoryEditor, calls: GoodCalls) => void];

export function sessionsOf({ result }: GoodCalls[keyof GoodCalls]): readonly Seen[] {
  return result?.sessions ?? [];
}
