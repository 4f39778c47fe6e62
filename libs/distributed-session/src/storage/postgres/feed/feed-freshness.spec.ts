import { describe, expect, it } from '@jest/globals';
import { FeedFreshness, type FeedRead } from './feed-freshness.js';

/** The lag at 1,000 ms after these reads. */
function lagAfter(...reads: readonly (readonly [sentAt: number, read: Partial<FeedRead>])[]): number {
  const freshness = new FeedFreshness(() => 1_000);
  for (const [sentAt, read] of reads) {
    freshness.observe({ sentAt, isPublished: false, firstWaiting: 0, lastWaiting: 0, ...read });
  }
  return freshness.lagMs();
}
const waiting = (firstWaiting: number, lastWaiting = firstWaiting) => ({ firstWaiting, lastWaiting });

describe('FeedFreshness', () => {
  it('is unknown before the first read, and after a reset', () => {
    expect(lagAfter()).toBe(Infinity);
    const freshness = new FeedFreshness(() => 1_000);
    freshness.observe({ sentAt: 900, isPublished: true, ...waiting(0) });
    freshness.reset();
    expect(freshness.lagMs()).toBe(Infinity);
  });

  it('dates from when a read was sent that published everything, whatever waits since', () => {
    expect(lagAfter([400, { isPublished: true }], [700, { isPublished: true, ...waiting(9) }])).toBe(300);
  });

  it('dates from a read that published nothing if nothing waited', () => {
    expect(lagAfter([400, {}], [700, {}])).toBe(300);
  });

  it('does not advance while a change waits', () => {
    expect(lagAfter([100, {}], [400, waiting(5, 7)], [500, waiting(6, 9)], [600, waiting(7, 12)])).toBe(900);
  });

  it('dates from an earlier read once all that waited then has been published, while newer changes wait', () => {
    expect(lagAfter([400, waiting(5, 7)], [600, waiting(8, 9)])).toBe(600);
    expect(lagAfter([400, waiting(5, 7)], [600, waiting(8, 9)], [800, waiting(10)])).toBe(400);
  });
});
