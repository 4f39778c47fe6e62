import type { HistoryEntry } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';

/** The ids of the promises, as the list of threats numbers them. */
export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I11' | 'I12';

/** Something that no correct storage could have shown. */
export interface Violation {
  readonly invariant: InvariantId;
  readonly sentence: string;
  /** What was asked, told and heard that cannot be true together. */
  readonly entries: readonly HistoryEntry[];
}

/** Looks for what breaks one promise. It is sound: what could have happened in some order is no violation. */
export type Invariant = (history: IndexedHistory) => Iterable<Violation>;
