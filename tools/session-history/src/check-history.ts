import type { History } from './history.js';
import { IndexedHistory } from './indexed-history.js';
import { appliedMeansVisible } from './invariants/applied-means-visible.js';
import { endedStaysEnded } from './invariants/ended-stays-ended.js';
import { eachAnnouncedOnce } from './invariants/each-announced-once.js';
import { eachEndRecordedOnce } from './invariants/each-end-recorded-once.js';
import type { Invariant, Violation } from './invariants/invariant.js';
import { listsAreTheLiveSessions } from './invariants/lists-are-the-live-sessions.js';
import { noUpdateIsLost } from './invariants/no-update-is-lost.js';
import { nothingOutlivesItsEnd } from './invariants/nothing-outlives-its-end.js';
import { readsAreTheirOwn } from './invariants/reads-are-their-own.js';
import { versionsNeverGoBack } from './invariants/versions-never-go-back.js';

const INVARIANTS: readonly Invariant[] = [
  readsAreTheirOwn,
  endedStaysEnded,
  versionsNeverGoBack,
  noUpdateIsLost,
  nothingOutlivesItsEnd,
  appliedMeansVisible,
  listsAreTheLiveSessions,
  eachEndRecordedOnce,
  eachAnnouncedOnce,
];

export interface CheckOptions {
  /** Maximum error of a client's knowledge of the storage's clock. Default 50. */
  readonly clockToleranceMs?: number;
  /** How long a published change may take before it counts as lost. Default 1,000. */
  readonly feedLagMs?: number;
}

/**
 * Finds the observations in a history that no correct storage allows. Calls overlap, and a write whose reply was lost
 * may or may not have been applied, at any time. A call precedes another only if it returned before the other began.
 */
export function checkHistory(history: History, options: CheckOptions = {}): Violation[] {
  const { clockToleranceMs = 50, feedLagMs = 1_000 } = options;
  const indexed = new IndexedHistory(history, clockToleranceMs, feedLagMs * 1e6);
  return INVARIANTS.flatMap((invariant) => [...invariant(indexed)]);
}
