import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Beat } from '../records/change-message.js';
import { FeedFreshness } from './feed-freshness.js';

const SHARD = '00';

let now: number;
let freshness: FeedFreshness;

beforeEach(() => {
  now = 1_000;
  freshness = new FeedFreshness(() => now);
  freshness.expect([SHARD]);
  freshness.reopened();
  freshness.keyRead(Infinity);
});

const beat = (nonce: string, previous: string, shard = SHARD): Beat => {
  return { type: 'beat', shard, nonce, previous, last: new Map() };
};
const look = (nonce: string, sentAt: number, isOwn = false) => freshness.look(SHARD, { nonce, sentAt, isOwn });

describe('FeedFreshness', () => {
  it('is complete until a call was sent, once the heartbeat arrives that replaces what the call has found', () => {
    look('a', 1_000);
    expect(freshness.completeUntil).toBe(-Infinity);
    now = 1_700;
    expect(freshness.recognize(beat('b', 'a'))).toBe(true);
    expect(freshness.completeUntil).toBe(1_000);
  });

  it('is complete until the call that stored an own heartbeat was sent, once this heartbeat arrives', () => {
    look('own', 1_000, true);
    expect(freshness.recognize(beat('own', ''))).toBe(true);
    expect(freshness.completeUntil).toBe(1_000);
  });

  it('learns nothing from a heartbeat that existed when the call was sent, or of unknown origin', () => {
    look('c', 1_000);
    const unknown = [beat('c', 'b'), beat('b', 'a'), beat('x', 'y'), beat('x', ''), beat('d', 'c', '01')];
    expect(unknown.map((each) => freshness.recognize(each))).toEqual(unknown.map(() => false));
    expect(freshness.completeUntil).toBe(-Infinity);
  });

  it('learns nothing from a repeated heartbeat', () => {
    look('a', 1_000);
    const [first, own] = [beat('b', 'a'), beat('own', 'b')];
    expect([freshness.recognize(first), freshness.recognize(first)]).toEqual([true, false]);
    look('own', 2_000, true);
    expect([freshness.recognize(own), freshness.recognize(own), freshness.recognize(first)]).toEqual([
      true,
      false,
      false,
    ]);
    now = 9_000;
    look('own', 8_000);
    expect([freshness.recognize(own), freshness.recognize(first)]).toEqual([false, false]);
    expect(freshness.completeUntil).toBe(2_000);
  });

  it('recognizes a heartbeat that arrives before the reply of the call', () => {
    const early = beat('b', 'a');
    expect(freshness.recognize(early)).toBe(false);
    expect(look('a', 1_000)).toEqual([early]);
    expect(freshness.recognize(early)).toBe(true);
    expect(look('b', 2_000)).toEqual([]);
  });

  it('recognizes heartbeats that arrive later than the next call has found them', () => {
    for (const [index, nonce] of ['a', 'b', 'c', 'd'].entries()) look(nonce, 1_000 + index);
    expect(freshness.recognize(beat('b', 'a'))).toBe(true);
    expect(freshness.completeUntil).toBe(1_000);
    expect(freshness.recognize(beat('d', 'c'))).toBe(true);
    expect(freshness.completeUntil).toBe(1_002);
    expect(freshness.recognize(beat('c', 'b'))).toBe(false);
    expect(freshness.completeUntil).toBe(1_002);
  });

  it('recognizes an own heartbeat that arrives later than the next call has found it, and the one that replaces it', () => {
    look('own', 1_000, true);
    look('own', 1_500);
    expect(freshness.recognize(beat('own', 'a'))).toBe(true);
    expect(freshness.completeUntil).toBe(1_000);
    expect(freshness.recognize(beat('b', 'own'))).toBe(true);
    expect(freshness.completeUntil).toBe(1_500);
  });

  it('keeps only a few heartbeats that it does not recognize', () => {
    for (let n = 0; n < 100; n++) freshness.recognize(beat(`${n}`, 'unknown'));
    expect(look('a', 1_000)).toHaveLength(8);
  });

  it('keeps a heartbeat that arrives early among many repeated ones', () => {
    for (let n = 0; n < 8; n++) freshness.recognize(beat(`${n}`, 'unknown'));
    look('a', 1_000);
    for (let n = 0; n < 100; n++) freshness.recognize(beat(`${n % 8}`, 'unknown'));
    const early = beat('c', 'b');
    freshness.recognize(early);
    expect(look('b', 2_000)).toEqual([early]);
  });

  it('requires the heartbeats of every master', () => {
    freshness.expect([SHARD, '01']);
    look('a', 1_000);
    freshness.recognize(beat('b', 'a'));
    expect([freshness.isShown, freshness.completeUntil]).toEqual([false, -Infinity]);
    freshness.look('01', { nonce: 'c', sentAt: 900, isOwn: false });
    freshness.recognize(beat('d', 'c', '01'));
    expect([freshness.isShown, freshness.completeUntil]).toEqual([true, 900]);
  });

  it('is complete at most until the feed key was read', () => {
    look('a', 1_000);
    freshness.recognize(beat('b', 'a'));
    freshness.keyRead(400);
    expect(freshness.completeUntil).toBe(400);
  });

  it('is silent when no heartbeat has arrived since, by the time of arrival', () => {
    now = 1_500;
    expect([freshness.isSilentSince(999), freshness.isSilentSince(1_000)]).toEqual([false, true]);
    look('a', 1_000);
    freshness.recognize(beat('b', 'a'));
    expect([freshness.isSilentSince(1_499), freshness.isSilentSince(1_500)]).toEqual([false, true]);
  });

  it('forgets what an earlier connection has received', () => {
    look('a', 1_000);
    freshness.recognize(beat('b', 'a'));
    freshness.reopened();
    expect([freshness.isShown, freshness.recognize(beat('c', 'b'))]).toEqual([false, false]);
  });
});
