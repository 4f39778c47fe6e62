/** A source of epoch milliseconds. Tests drive one by hand: `FakeClock` of `nestjs-distributed-session/testing`. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
