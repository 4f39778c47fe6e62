import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ServiceAuthenticationError } from '../errors/service.errors.js';
import { FakeClock } from '../testing/fake-clock.js';
import { type AttemptOrigin, FailureThrottle } from './failure-throttle.js';

const MINUTE = 60_000;
const HERE = '192.0.2.1';
const THERE = '192.0.2.2';

describe('FailureThrottle', () => {
  let clock: FakeClock;
  let throttle: FailureThrottle;

  beforeEach(() => {
    clock = new FakeClock();
    throttle = new FailureThrottle(clock);
  });

  function fail(times: number, serviceId = 'pay', origin: AttemptOrigin = { source: HERE }): void {
    for (let n = 0; n < times; n++) throttle.recordFailure(throttle.attempt(serviceId, origin));
  }

  /** How long an attempt is blocked, in milliseconds; 0: it is not. */
  function blockedForMs(serviceId = 'pay', origin: AttemptOrigin = { source: HERE }): number {
    try {
      throttle.assertAllowed(throttle.attempt(serviceId, origin));
      return 0;
    } catch (error) {
      return (error as ServiceAuthenticationError).retryAfterMs!;
    }
  }

  it('blocks a source for a service after ten failures, until a minute after the first', () => {
    fail(1);
    clock.advance(10_000);
    fail(8);
    expect(blockedForMs()).toBe(0);
    fail(1);
    expect(blockedForMs()).toBe(50_000);
    clock.advance(49_999);
    expect(blockedForMs()).toBe(1);
    clock.advance(1);
    expect(blockedForMs()).toBe(0);
  });

  it('blocks neither other sources nor, after ten failures, the same source for another service', () => {
    fail(10);
    expect(blockedForMs()).toBe(MINUTE);
    expect(blockedForMs('pay', { source: THERE })).toBe(0);
    expect(blockedForMs('order')).toBe(0);
  });

  it('blocks a source for all services after fifty failures, whichever ids they name', () => {
    for (let n = 0; n < 49; n++) fail(1, `made-up-${n}`);
    expect(blockedForMs('order')).toBe(0);
    fail(1, 'made-up');
    expect(blockedForMs('order')).toBe(MINUTE);
    expect(blockedForMs('order', { source: THERE })).toBe(0);
  });

  it.each([
    ['ports', (n: number) => `192.0.2.1:${50_000 + n}`],
    ['spellings of an IPv4 address', (n: number) => ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201'][n % 3]!],
    ['hosts of an IPv6 network', (n: number) => `2001:db8::${n.toString(16)}`],
    ['zones', (n: number) => `fe80::1%eth${n}`],
    ['cases of a name', (n: number) => ['gateway', 'Gateway'][n % 2]!],
  ])('counts all %s as one source', (_, sourceOf) => {
    for (let n = 0; n < 10; n++) fail(1, 'pay', { source: sourceOf(n) });
    expect(blockedForMs('pay', { source: sourceOf(11) })).toBe(MINUTE);
  });

  it('blocks a caller after thirty failures, whatever sources it names, but no other caller', () => {
    for (let n = 0; n < 29; n++) fail(1, `pay-${n}`, { source: `10.0.${n}.1`, caller: 'gateway' });
    expect(blockedForMs('pay', { source: HERE, caller: 'gateway' })).toBe(0);
    fail(1, 'pay', { caller: 'gateway' });
    expect(blockedForMs('pay', { source: HERE, caller: 'gateway' })).toBe(MINUTE);
    expect(blockedForMs('pay', { source: HERE, caller: 'other' })).toBe(0);
    expect(blockedForMs('pay', { source: HERE })).toBe(0);
  });

  it('counts the same source separately for each caller', () => {
    fail(20, 'pay', { source: HERE, caller: 'gateway' });
    expect(blockedForMs('pay', { source: HERE, caller: 'gateway' })).toBe(MINUTE);
    expect(blockedForMs('pay', { source: HERE, caller: 'other' })).toBe(0);
    expect(blockedForMs()).toBe(0);
  });

  it('blocks nothing without a source and a caller', () => {
    fail(100, 'pay', {});
    expect(blockedForMs('pay', {})).toBe(0);
  });

  it('does not confuse parts that join to the same text', () => {
    fail(10, 'pay', { source: 'x.1' });
    expect(blockedForMs('pay.x', { source: '1' })).toBe(0);
    fail(10, 'pay', { source: HERE, caller: 'a' });
    expect(blockedForMs('pay', { source: `a\n${HERE}` })).toBe(0);
  });

  it('forgets no failure, however many ids and sources fail in the meantime', () => {
    fail(10);
    for (let n = 0; n < 20_000; n++) fail(1, `id-${n}`, { source: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` });
    expect(blockedForMs()).toBe(MINUTE);
  });

  it('blocks hardly any other source while thousands fail', () => {
    for (let n = 0; n < 2_000; n++) fail(10, `id-${n}`, { source: `10.0.${n >> 8}.${n & 255}` });
    const blocked = Array.from({ length: 1_000 }, (_, n) =>
      blockedForMs('pay', { source: `192.0.${n >> 8}.${n & 255}` }),
    );
    expect(blocked.filter((ms) => ms > 0).length).toBeLessThan(100);
  });

  it('starts a new count after the minute', () => {
    fail(10);
    clock.advance(MINUTE);
    fail(9);
    expect(blockedForMs()).toBe(0);
    fail(1);
    expect(blockedForMs()).toBe(MINUTE);
  });

  it('does not block for longer when the clock is set back', () => {
    fail(10);
    clock.advance(-3_600_000);
    expect(blockedForMs()).toBe(0);
  });

  it('counts the failures of a source, for its place in the queue', () => {
    fail(3);
    fail(2, 'order');
    expect(throttle.failuresOf(throttle.attempt('other', { source: HERE }))).toBe(5);
    expect(throttle.failuresOf(throttle.attempt('pay', { source: THERE }))).toBe(0);
    expect(throttle.failuresOf(throttle.attempt('pay', {}))).toBe(0);
  });
});
