/**
 * A source of the current time, in epoch milliseconds. In tests, use `FakeClock` from
 * `nestjs-distributed-session/testing`.
 *
 * @example
 * const offsetClock: Clock = { now: () => Date.now() + offsetMs };
 * const storage = new InMemorySessionStorage({ clock: offsetClock });
 */
export interface Clock {
  now(): number;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };
