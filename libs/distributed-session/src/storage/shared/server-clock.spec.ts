import { afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { ServerClock } from './server-clock.js';

/** How far the server's clock is ahead of the process's. */
const AHEAD_MS = 1_700_000_000_000;

/** A ServerClock whose process and server time the test controls. */
class Scene {
  processTime = 1_000;
  ahead = AHEAD_MS;
  readonly clock = new ServerClock(() => this.processTime);

  /** The server's reply now: whole milliseconds. */
  get serverTime(): number {
    return Math.floor(this.processTime + this.ahead);
  }

  /** Takes a sample. The request travels for `there`, the reply for `back` milliseconds. */
  ask(there: number, back: number): void {
    const sentAt = this.processTime;
    this.processTime += there;
    const reply = this.serverTime;
    this.processTime += back;
    this.clock.observe(reply, sentAt);
  }
}

const delay = fc.oneof(
  fc.constant(0),
  ...[3, 200].map((max) => fc.double({ min: 0, max, noNaN: true, noDefaultInfinity: true })),
);

describe('ServerClock', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('the time is unbounded before the first sample', () => {
    const { clock } = new Scene();
    expect(clock.moment()).toMatchObject({ earliest: -Infinity, latest: Infinity });
    expect(clock.errorMs).toBe(Infinity);
  });

  it('a sample counts as the time in the middle of its round trip', () => {
    const scene = new Scene();
    scene.ask(10, 10);
    expect(scene.clock.now()).toBe(scene.serverTime);
    scene.processTime += 5_000;
    expect(scene.clock.now()).toBe(scene.serverTime);
    expect(scene.clock.errorMs).toBeGreaterThan(10);
    expect(scene.clock.errorMs).toBeLessThan(13);
  });

  it('the bounds contain the time of the server, however asymmetric the round trips are', () => {
    const rounds = fc.array(fc.tuple(delay, delay, delay), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(rounds, fc.double({ min: 0, max: 1, noNaN: true }), (trips, fraction) => {
        const scene = new Scene();
        scene.ahead += fraction;
        let isCovered = true;
        for (const [there, back, pause] of trips) {
          scene.ask(there, back);
          scene.processTime += pause;
          const { earliest, latest } = scene.clock.moment();
          isCovered &&= earliest <= scene.serverTime && scene.serverTime <= latest;
        }
        expect(isCovered).toBe(true);
      }),
      // In the example, the rounding errors of both clocks add up.
      { numRuns: 5_000, examples: [[[[1.25, 0, 0.95]], 0.75]] },
    );
  });

  it('the best sample counts until eight newer ones replace it', () => {
    const scene = new Scene();
    scene.ask(1, 1);
    const { errorMs } = scene.clock;
    for (let n = 0; n < 7; n++) scene.ask(60, 0);
    expect(scene.clock.errorMs).toBe(errorMs);
    scene.ask(60, 0);
    expect(scene.clock.errorMs).toBeGreaterThan(errorMs);
  });

  it.each([3_600_000, -3_600_000])('the estimate follows a server clock that is set by %d ms', (step) => {
    const scene = new Scene();
    for (let n = 0; n < 8; n++) scene.ask(1, 1);
    scene.ahead += step;
    scene.ask(20, 20);
    expect(scene.clock.now()).toBe(scene.serverTime);
    expect(scene.clock.errorMs).toBeLessThan(25);
  });

  it.each([100, -100])(
    'the bounds contain the time while a server clock differs by %d ms from earlier samples',
    (step) => {
      const scene = new Scene();
      for (let n = 0; n < 8; n++) scene.ask(1, 1);
      scene.ahead += step;
      for (let n = 0; n < 8; n++) {
        scene.ask(2, 2);
        const { earliest, latest } = scene.clock.moment();
        expect([earliest <= scene.serverTime, scene.serverTime <= latest]).toEqual([true, true]);
      }
      expect(scene.clock.now()).toBe(scene.serverTime);
      expect(scene.clock.errorMs).toBeLessThan(5);
    },
  );

  it('the wall clock of the process has no effect after the first sample', () => {
    const scene = new Scene();
    scene.ask(1, 1);
    jest.spyOn(Date, 'now').mockReturnValue(0);
    expect(scene.clock.now()).toBe(scene.serverTime);
    scene.processTime += 60_000;
    scene.ask(1, 1);
    expect(scene.clock.now()).toBe(scene.serverTime);
  });
});
