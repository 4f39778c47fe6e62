import { beforeEach, describe, expect, it } from '@jest/globals';
import { availableParallelism } from 'node:os';
import { CHOSEN, startVerification, type Verification } from '../../../../test/support/verification.js';
import { generateSecret } from './service-secret.js';

const ATTACKER = '192.0.2.66';

describe('ServiceVerifier', () => {
  let clock: Verification['clock'];
  let hasher: Verification['hasher'];
  let verifier: Verification['verifier'];
  let secret: Verification['secret'];
  let register: Verification['register'];
  let rejection: Verification['rejection'];

  beforeEach(async () => {
    ({ clock, hasher, verifier, secret, register, rejection } = await startVerification());
  });

  it('compares as few chosen secrets at once as its share of the cores, and refuses the rest at once', async () => {
    const release = hasher.holdSlow();
    const flood = Array.from({ length: 100 }, (_, n) => rejection(`made-up-${n}`, `wrong secret ${n}`, ATTACKER));
    const refused = await Promise.all(flood.slice(-80));
    expect(new Set(refused.map(({ retryAfterMs }) => retryAfterMs))).toEqual(new Set([1_000]));
    expect(hasher.takeCounts().slow).toBeLessThanOrEqual(Math.max(1, availableParallelism() - 1));
    release();
    await Promise.all(flood);
  });

  it('accepts generated secrets, and chosen ones from elsewhere, while a stranger floods it', async () => {
    await register('chosen', CHOSEN);
    const release = hasher.holdSlow();
    const flood = Array.from({ length: 100 }, (_, n) => rejection(`made-up-${n}`, `wrong secret ${n}`, ATTACKER));
    const first = verifier.verify('chosen', CHOSEN, { source: '192.0.2.1' });
    expect(await verifier.verify('pay', secret, { source: ATTACKER })).toMatchObject({ serviceId: 'pay' });
    release();
    hasher.takeCounts();
    expect(await first).toMatchObject({ serviceId: 'chosen' });
    // Two comparisons for each check: the service's own, and at most those that had begun before and one more turn.
    expect(hasher.takeCounts().slow).toBeLessThanOrEqual(2 * (availableParallelism() + 2));
    await Promise.all(flood);
  });

  it('prefers a source of earlier successes for few checks only, so that a stranger at its address delays no one', async () => {
    await register('chosen', CHOSEN);
    await verifier.verify('pay', secret, { source: ATTACKER });
    const release = hasher.holdSlow();
    const flood = Array.from({ length: 16 }, (_, n) => rejection(`made-up-${n}`, `wrong secret ${n}`, ATTACKER));
    const first = verifier.verify('chosen', CHOSEN, { source: '192.0.2.1' });
    release();
    hasher.takeCounts();
    await first;
    expect(hasher.takeCounts().slow).toBeLessThanOrEqual(2 * (availableParallelism() + 5));
    await Promise.all(flood);
  });

  it('accepts a chosen secret that has authenticated before, while its own source is blocked', async () => {
    await register('chosen', CHOSEN);
    await verifier.verify('chosen', CHOSEN, { source: ATTACKER });
    for (let n = 0; n < 50; n++) await rejection(`made-up-${n}`, generateSecret().secret, ATTACKER);
    clock.advance(30_000);
    expect(await verifier.verify('chosen', CHOSEN, { source: ATTACKER })).toMatchObject({ serviceId: 'chosen' });
    expect(await rejection('chosen', 'a wrong chosen secret', ATTACKER)).toMatchObject({ retryAfterMs: 30_000 });
  });

  it('gives a made-up id no more attempts than a registered one', async () => {
    await register('chosen', CHOSEN);
    const attempts = async (serviceId: string, source: string) => {
      for (let n = 0; ; n++) if ((await rejection(serviceId, `wrong secret ${n}`, source)).retryAfterMs) return n;
    };
    expect([await attempts('made-up', '192.0.2.1'), await attempts('chosen', '192.0.2.2')]).toEqual([10, 10]);
    for (let n = 0; n < 40; n++) {
      expect(await rejection(`made-up-${n}`, generateSecret().secret, '192.0.2.1')).toMatchObject({
        retryAfterMs: undefined,
      });
    }
    expect((await rejection('other', 'a wrong secret', '192.0.2.1')).retryAfterMs).toBe(60_000);
  });

  it('throttles the wrong secrets of a source after ten failures, and never the right one', async () => {
    for (let n = 0; n < 200; n++) {
      const { retryAfterMs } = await rejection('pay', generateSecret().secret, ATTACKER);
      expect(retryAfterMs).toBe(n < 10 ? undefined : 60_000);
    }
    for (const source of [ATTACKER, '192.0.2.1']) {
      expect(await verifier.verify('pay', secret, { source })).toMatchObject({ serviceId: 'pay' });
      expect(await verifier.verify(undefined, secret, { source })).toMatchObject({ serviceId: 'pay' });
    }
  });

  it('compares no chosen secret for a source that is blocked', async () => {
    await register('chosen', CHOSEN);
    for (let n = 0; n < 10; n++) await rejection('chosen', generateSecret().secret, ATTACKER);
    hasher.takeCounts();
    expect(await rejection('chosen', CHOSEN, `${ATTACKER}:50001`)).toMatchObject({ retryAfterMs: 60_000 });
    expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 0 });
    expect(await verifier.verify('chosen', CHOSEN, { source: '192.0.2.1' })).toMatchObject({ serviceId: 'chosen' });
  });

  it('throttles a caller that invents sources, and no other caller', async () => {
    const guess = async (caller: string, n: number) =>
      verifier
        .verify('pay', generateSecret().secret, { source: `10.0.${n}.1`, caller })
        .catch((error: unknown) => error);
    for (let n = 0; n < 30; n++) expect(await guess('gateway', n)).toMatchObject({ retryAfterMs: undefined });
    expect(await guess('gateway', 30)).toMatchObject({ retryAfterMs: 60_000 });
    expect(await guess('other', 30)).toMatchObject({ retryAfterMs: undefined });
    expect(await verifier.verify('pay', secret, { caller: 'gateway' })).toMatchObject({ serviceId: 'pay' });
  });

  it('throttles neither successes nor failures without a source', async () => {
    for (let n = 0; n < 30; n++) await verifier.verify('pay', secret, { source: '192.0.2.1' });
    for (let n = 0; n < 30; n++) expect((await rejection('pay', generateSecret().secret)).retryAfterMs).toBeUndefined();
    expect((await rejection('pay', generateSecret().secret, '192.0.2.1')).retryAfterMs).toBeUndefined();
  });
});
