/** A server's time, between two moments of this process's monotonic clock. All are in milliseconds. */
export interface ClockReading {
  readonly sentAt: number;
  readonly now: number;
  readonly receivedAt: number;
}

/** The server's rounding to whole milliseconds. */
const ROUNDING_MS = 1;
/** How far clocks that must agree may differ: a record's times are compared with those of any of them. */
const MAX_SPREAD_MS = 1_000;

/**
 * Checks successive readings of one clock, of which the first and the last have the same source and resolution. Returns
 * what is wrong.
 */
export function clockError(readings: readonly number[], source: string): string | undefined {
  const [first, last] = [readings[0]!, readings.at(-1)!];
  if (!readings.every((reading) => Number.isFinite(reading) && reading > 0))
    return `its ${source} does not return times`;
  if (last === first) return `its clock stands still: ${source} returned ${first} twice`;
  if (last < first) return `its clock runs backwards: ${source} returned ${first}, then ${last}`;
  const outside = readings.find((reading) => reading < first - ROUNDING_MS || reading > last + ROUNDING_MS);
  if (outside === undefined) return undefined;
  return `its clocks disagree: ${source} returned ${first} and ${last}, and a time in between was ${outside}`;
}

/** Compares clocks that were read at about the same time. Returns by how much they certainly differ, if it is too much. */
export function spreadError(readings: readonly ClockReading[]): string | undefined {
  const earliest = Math.max(...readings.map(({ now, receivedAt }) => now - receivedAt));
  const latest = Math.min(...readings.map(({ now, sentAt }) => now - sentAt));
  const differenceMs = Math.floor(earliest - latest - ROUNDING_MS);
  if (readings.length < 2 || differenceMs <= MAX_SPREAD_MS) return undefined;
  return `clocks differ by ${differenceMs} ms: synchronise them (NTP)`;
}
