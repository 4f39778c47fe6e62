import type { HistoryEntry } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';

/** The promises, each named after the file that checks it. */
export type InvariantId =
  | 'reads-are-their-own'
  | 'ended-stays-ended'
  | 'versions-never-go-back'
  | 'no-update-is-lost'
  | 'nothing-outlives-its-end'
  | 'applied-means-visible'
  | 'lists-are-the-live-sessions'
  | 'each-end-recorded-once'
  | 'each-announced-once';

/** An observation that no correct storage allows. */
export interface Violation {
  readonly invariant: InvariantId;
  readonly sentence: string;
  /** The calls and received changes that contradict each other. */
  readonly entries: readonly HistoryEntry[];
}

/** Finds the violations of one promise. It is sound: a history that is possible in some order has none. */
export type Invariant = (history: IndexedHistory) => Iterable<Violation>;
