import { beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { toTombstone } from '../session-lifetime.js';
import { InMemoryExpiryQueue } from './in-memory-expiry-queue.js';
import type { InMemorySessionEntry, LiveEntry } from './in-memory-session-entry.js';

function live(sessionId: string, expiresAt: number): LiveEntry {
  return {
    purgeAt: Infinity,
    session: {
      state: 'live',
      sessionId,
      loginId: 'alice',
      serviceId: 's',
      version: 1,
      payload: new Uint8Array(),
      createdAt: 0,
      lastAccessedAt: 0,
      expiresAt,
    },
  };
}

/** Ends an entry as the table does: the same entry gets the tombstone, and a separate appointment. */
function end(entry: LiveEntry, purgeAt: number): void {
  const tombstone = toTombstone(entry.session, { reason: 'logged-out', endedAt: 0, endedBy: 's' });
  Object.assign<InMemorySessionEntry, Partial<InMemorySessionEntry>>(entry, { session: tombstone, purgeAt });
}

const always = () => true;

describe('InMemoryExpiryQueue', () => {
  let queue: InMemoryExpiryQueue;

  beforeEach(() => {
    queue = new InMemoryExpiryQueue();
  });

  const take = (now: number, isKept: (entry: InMemorySessionEntry) => boolean = always) =>
    queue.takeDue(now, isKept)?.session.sessionId;

  it('takeDue() returns due entries, earliest first, and none before its time', () => {
    for (const [id, at] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
    ] as const)
      queue.add(live(id, at));
    expect(take(9)).toBeUndefined();
    expect([take(20), take(20), take(20)]).toEqual(['a', 'b', undefined]);
    expect(take(30)).toBe('c');
  });

  it('takeDue() renews the appointment of a session that was touched meanwhile', () => {
    const entry = live('a', 10);
    queue.add(entry);
    entry.session = { ...entry.session, expiresAt: 50 };
    expect([take(10), take(49), take(50), take(50)]).toEqual([undefined, undefined, 'a', undefined]);
  });

  it('takeDue() returns an ended session once, after its retention', () => {
    const entry = live('a', 10);
    queue.add(entry);
    end(entry, 100);
    queue.add(entry);
    expect([take(10), take(99), take(100)]).toEqual([undefined, undefined, 'a']);
    expect(take(200, () => false)).toBeUndefined();
  });

  it('takeDue() skips entries that are no longer stored', () => {
    const [gone, kept] = [live('gone', 10), live('kept', 10)];
    queue.add(gone);
    queue.add(kept);
    expect(take(10, (entry) => entry !== gone)).toBe('kept');
    expect(take(10, (entry) => entry !== gone)).toBeUndefined();
  });

  it('takeDue() returns a session whose expiry is not a number', () => {
    queue.add(live('a', NaN));
    expect(take(0)).toBe('a');
  });

  it('dueSessions() returns the live sessions that are due, and removes none', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50), fc.boolean())), fc.nat(60), (sessions, now) => {
        const shown = new InMemoryExpiryQueue();
        const due = new Set<string>();
        for (const [index, [at, extension, ends]] of sessions.entries()) {
          const entry = live(`${index}`, at);
          shown.add(entry);
          entry.session = { ...entry.session, expiresAt: at + extension };
          if (!ends && at + extension <= now) due.add(`${index}`);
          if (ends) end(entry, at + extension);
          if (ends) shown.add(entry);
        }
        for (let n = 0; n < 2; n++) {
          const ids = shown.dueSessions(now).map(({ sessionId }) => sessionId);
          expect(ids).toHaveLength(due.size);
          expect(new Set(ids)).toEqual(due);
        }
      }),
    );
  });

  it('compact() drops the appointments of removed entries once they are the majority, and keeps all others', () => {
    const kept = Array.from({ length: 10 }, (_, n) => live(`kept${n}`, 5 + n));
    for (const entry of kept) queue.add(entry);
    for (let n = 0; n < 1_011; n++) queue.add(live('gone', 1));
    queue.compact(kept, kept.length);
    const taken = Array.from({ length: 12 }, () => take(100));
    expect(taken).toEqual([...kept.map(({ session }) => session.sessionId), undefined, undefined]);
  });

  it('compact() leaves a short queue alone', () => {
    const entry = live('a', 1);
    queue.add(entry);
    queue.compact([], 0);
    expect(take(1)).toBe('a');
  });
});
