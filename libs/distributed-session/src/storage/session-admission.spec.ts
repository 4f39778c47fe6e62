import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type Admission, planAdmission } from './session-admission.js';
import type { SessionLimits } from './session-storage.operations.js';

interface Item {
  readonly n: number;
  readonly device?: string;
  readonly lastAccessedAt: number;
}

function plan(live: readonly Item[], limits: SessionLimits, device?: string): Admission<Item> {
  return planAdmission(live, (item) => item, limits, device);
}

const items = (...devices: (string | undefined)[]): Item[] =>
  devices.map((device, n) => ({ n, device, lastAccessedAt: 0 }));
/** Sessions by the time of their last access, without devices. */
const accessed = (...times: number[]): Item[] => times.map((lastAccessedAt, n) => ({ n, lastAccessedAt }));
const displacedBy = (admission: Admission<Item>) =>
  'refused' in admission ? admission.refused : admission.displaced.map(({ item, reason }) => [item.n, reason]);

describe('planAdmission()', () => {
  const endOldest = { perLogin: 3, onLimit: 'end-oldest' } as const;
  const reject = { perLogin: 3, onLimit: 'reject' } as const;

  it('the plan displaces no session below the limit, the oldest at the limit, and the excess beyond it', () => {
    expect(displacedBy(plan(items('a', 'b'), endOldest))).toEqual([]);
    expect(displacedBy(plan(items('a', 'b', 'c'), endOldest))).toEqual([[0, 'limit']]);
    expect(displacedBy(plan(items('a', 'b', 'c', 'd', 'e'), endOldest))).toEqual([
      [0, 'limit'],
      [1, 'limit'],
      [2, 'limit'],
    ]);
  });

  it('the limit per device applies first, then the limit per user to the rest', () => {
    const live = items('web', 'mobile', 'web', 'tv');
    expect(displacedBy(plan(live, { ...endOldest, perDevice: 1 }, 'web'))).toEqual([
      [0, 'replaced'],
      [2, 'replaced'],
    ]);
    expect(displacedBy(plan(live, { ...endOldest, perDevice: 2 }, 'web'))).toEqual([
      [0, 'replaced'],
      [1, 'limit'],
    ]);
  });

  it('with end-idlest, the plan displaces the least recently used, and the oldest of those used at the same time', () => {
    const endIdlest = { perLogin: 3, onLimit: 'end-idlest' } as const;
    expect(displacedBy(plan(accessed(9, 5), endIdlest))).toEqual([]);
    expect(displacedBy(plan(accessed(9, 5, 7), endIdlest))).toEqual([[1, 'limit']]);
    expect(displacedBy(plan(accessed(9, 5, 7, 5), endIdlest))).toEqual([
      [1, 'limit'],
      [3, 'limit'],
    ]);
    const onTv = accessed(9, 5, 7).map((item) => ({ ...item, device: item.n === 1 ? 'web' : 'tv' }));
    expect(displacedBy(plan(onTv, { ...endIdlest, perDevice: 2 }, 'tv'))).toEqual([[2, 'replaced']]);
  });

  it('sessions without a device label count towards the limit per user only', () => {
    const live = items(undefined, undefined);
    expect(displacedBy(plan(live, { ...endOldest, perDevice: 1 }))).toEqual([]);
    expect(displacedBy(plan(live, { ...endOldest, perDevice: 1 }, 'web'))).toEqual([]);
  });

  it('with reject, the plan names the limit, the one per device first', () => {
    expect(displacedBy(plan(items('a', 'b'), reject))).toEqual([]);
    expect(displacedBy(plan(items('a', 'b', 'c'), reject))).toBe('login');
    expect(displacedBy(plan(items('a', 'b', 'web'), { ...reject, perDevice: 1 }, 'web'))).toBe('device');
    expect(displacedBy(plan(items('web'), { ...reject, perDevice: 1 }, 'web'))).toBe('device');
    expect(displacedBy(plan(items('a', 'b', 'c'), { ...reject, perDevice: 1 }, 'web'))).toBe('login');
  });

  it('for any live sessions, both limits hold afterwards, and the plan displaces the first in order and no more than necessary', () => {
    const device = fc.option(fc.constantFrom('web', 'mobile', 'tv'), { nil: undefined });
    const bound = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ device, lastAccessedAt: fc.nat(3) }), { maxLength: 12 }),
        device,
        bound,
        bound,
        fc.constantFrom('end-oldest', 'end-idlest'),
        (given, newcomer, perLogin, perDevice, onLimit) => {
          const live = given.map((item, n) => ({ ...item, n }));
          const admission = plan(live, { perLogin, perDevice, onLimit }, newcomer);
          if ('refused' in admission) throw new Error(`${onLimit} never rejects`);
          const gone = new Set(admission.displaced.map(({ item }) => item));
          const left = live.filter((item) => !gone.has(item));
          expect(gone.size).toBe(admission.displaced.length);
          expect(left.length + 1).toBeLessThanOrEqual(Math.max(perLogin, 1));
          const alike = (list: Item[]) => list.filter((item) => newcomer !== undefined && item.device === newcomer);
          expect(alike(left).length + 1).toBeLessThanOrEqual(perDevice);
          for (const { item, reason } of admission.displaced) {
            const peers = reason === 'replaced' ? alike(left) : left;
            const isLater = (peer: Item) =>
              onLimit === 'end-oldest' || peer.lastAccessedAt === item.lastAccessedAt
                ? peer.n > item.n
                : peer.lastAccessedAt > item.lastAccessedAt;
            expect(peers.every(isLater)).toBe(true);
          }
          const limited = admission.displaced.filter(({ reason }) => reason === 'limit').length;
          expect(limited === 0 || left.length + 1 === perLogin).toBe(true);
          const replaced = gone.size - limited;
          expect(replaced === 0 || alike(live).length - replaced + 1 === perDevice).toBe(true);
          const rejecting = plan(live, { perLogin, perDevice, onLimit: 'reject' }, newcomer);
          expect('refused' in rejecting).toBe(gone.size > 0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
