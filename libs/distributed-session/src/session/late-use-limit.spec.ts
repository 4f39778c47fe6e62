import { beforeEach, describe, expect, it } from '@jest/globals';
import { LateUseLimit } from './late-use-limit.js';

const NOW = 1_700_000_000_000;

describe('LateUseLimit', () => {
  let limit: LateUseLimit;

  beforeEach(() => {
    limit = new LateUseLimit();
  });

  it('admits a session once per second, whatever else is reported meanwhile', () => {
    const admitted = Array.from({ length: 3_000 }, (_, ms) => [ms, limit.admits('a', NOW + ms)] as const)
      .filter(([, admits]) => admits)
      .map(([ms]) => ms);
    expect(admitted).toEqual([0, 1_000, 2_000]);
    expect(limit.admits('b', NOW + 2_500)).toBe(true);
    expect(limit.admits('a', NOW + 2_999)).toBe(false);
    expect(limit.admits('a', NOW + 3_000)).toBe(true);
  });

  it('admits 100 sessions per second, however many are presented', () => {
    const admitted = [NOW, NOW + 999, NOW + 1_000].map(
      (at) => Array.from({ length: 5_000 }, (_, n) => limit.admits(`${at} ${n}`, at)).filter(Boolean).length,
    );
    expect(admitted).toEqual([100, 0, 100]);
  });

  it('admits a session again after the clock was set back', () => {
    expect(limit.admits('a', NOW)).toBe(true);
    expect(limit.admits('a', NOW - 3_600_000)).toBe(true);
    expect(limit.admits('a', NOW - 3_600_000)).toBe(false);
  });
});
