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
  /** How far the clock of the storage, as a client knows it, may be from the true one. Default 50. */
  readonly clockToleranceMs?: number;
  /** How long an announcement may be under way before it counts as lost. Default 1,000. */
  readonly feedLagMs?: number;
}

/**
 * What a history shows that no correct storage could have shown, given that calls overlap and that writes whose reply
 * was lost may or may not have been applied, at any time. Of two calls one is before the other only if it had been
 * answered before the other was asked.
 */
export function checkHistory(history: History, options: CheckOptions = {}): Violation[] {
  const { clockToleranceMs = 50, feedLagMs = 1_000 } = options;
  const indexed = new IndexedHistory(history, clockToleranceMs, feedLagMs * 1e6);
  return INVARIANTS.flatMap((invariant) => [...invariant(indexed)]);
}
