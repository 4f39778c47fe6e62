import type { HistoryCall } from './history.js';

/** Anything with a place in time: a call, or a received change. */
export interface Moment {
  readonly startedAt: number;
  /** Absent: it never ended. */
  readonly endedAt?: number;
}

/** Whether one ended before the other began, so that every client agrees on their order. */
export function precedes(first: Moment, second: Moment): boolean {
  return first.endedAt !== undefined && first.endedAt < second.startedAt;
}

/** Whether a write may have been applied, according to its result. */
export function mayBeApplied({ outcome }: Pick<HistoryCall, 'outcome'>): boolean {
  return outcome === 'ok' || outcome === 'unknown';
}

/** Whether a write can have taken effect before a call returned. */
export function mayBeAppliedBy(write: HistoryCall, by: Moment): boolean {
  return mayBeApplied(write) && write.startedAt < (by.endedAt ?? Infinity);
}

/** The first of these to end. */
export function firstToEnd<T extends Moment>(moments: readonly T[]): T | undefined {
  let first: T | undefined;
  for (const moment of moments) {
    if ((moment.endedAt ?? Infinity) < (first?.endedAt ?? Infinity)) first = moment;
  }
  return first;
}
