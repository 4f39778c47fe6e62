import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type Admission, planAdmission } from './session-admission.js';
import type { SessionLimits } from './session-storage.operations.js';

interface Item {
  readonly n: number;
  readonly device?: string;
}

function plan(live: readonly Item[], limits: SessionLimits, device?: string): Admission<Item> {
  return planAdmission(live, (item) => item.device, limits, device);
}

const items = (...devices: (string | undefined)[]): Item[] => devices.map((device, n) => ({ n, device }));
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

  it('for any live sessions, both limits hold afterwards, and the plan displaces the oldest and no more than necessary', () => {
    const device = fc.option(fc.constantFrom('web', 'mobile', 'tv'), { nil: undefined });
    const bound = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(
        fc.array(device, { maxLength: 12 }),
        device,
        bound,
        bound,
        (devices, newcomer, perLogin, perDevice) => {
          const live = items(...devices);
          const admission = plan(live, { perLogin, perDevice, onLimit: 'end-oldest' }, newcomer);
          if ('refused' in admission) throw new Error('end-oldest never rejects');
          const gone = new Set(admission.displaced.map(({ item }) => item));
          const left = live.filter((item) => !gone.has(item));
          expect(gone.size).toBe(admission.displaced.length);
          expect(left.length + 1).toBeLessThanOrEqual(Math.max(perLogin, 1));
          const alike = (list: Item[]) => list.filter((item) => newcomer !== undefined && item.device === newcomer);
          expect(alike(left).length + 1).toBeLessThanOrEqual(perDevice);
          for (const { item, reason } of admission.displaced) {
            const peers = reason === 'replaced' ? alike(left) : left;
            expect(peers.every((peer) => peer.n > item.n)).toBe(true);
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
