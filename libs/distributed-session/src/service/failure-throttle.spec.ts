import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../testing/fake-clock.js';
import { FailureThrottle } from './failure-throttle.js';

const MINUTE = 60_000;

describe('FailureThrottle', () => {
  let clock: FakeClock;
  let throttle: FailureThrottle;

  beforeEach(() => {
    clock = new FakeClock();
    throttle = new FailureThrottle(clock);
  });

  function fail(times: number, serviceId = 'pay', source = '192.0.2.1'): void {
    for (let n = 0; n < times; n++) throttle.recordFailure(serviceId, source);
  }

  it('blocks a source after ten failures, until a minute after the first', () => {
    fail(1);
    clock.advance(10_000);
    fail(8);
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBeUndefined();
    fail(1);
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBe(50_000);
    clock.advance(49_999);
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBe(1);
    clock.advance(1);
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBeUndefined();
  });

  it('blocks neither other sources nor the same source for another service', () => {
    fail(200);
    expect(throttle.blockedForMs('pay', '192.0.2.2')).toBeUndefined();
    expect(throttle.blockedForMs('order', '192.0.2.1')).toBeUndefined();
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBe(MINUTE);
  });

  it('does not confuse a service id and a source that join to the same text', () => {
    fail(10, 'pay', 'x.1');
    expect(throttle.blockedForMs('pay.x', '1')).toBeUndefined();
    expect(throttle.blockedForMs('payx', '.1')).toBeUndefined();
  });

  it('starts a new count after the minute', () => {
    fail(10);
    clock.advance(MINUTE);
    fail(9);
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBeUndefined();
    fail(1);
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBe(MINUTE);
  });

  it('does not extend the block for failures during it', () => {
    fail(10);
    clock.advance(30_000);
    fail(100);
    expect(throttle.blockedForMs('pay', '192.0.2.1')).toBe(30_000);
  });
});
