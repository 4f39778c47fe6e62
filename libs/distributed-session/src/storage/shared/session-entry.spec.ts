import { describe, expect, it } from '@jest/globals';
import type { SessionRecord, SessionTombstone } from '../session-record.js';
import { HISTORY_LIMIT } from '../session-storage.js';
import { type TimedEntry, historyOf, liveOf, visibleAt } from './session-entry.js';

const NOW = 10_000;
const PURGE_AT = 90_000;
const HEADER = { loginId: 'alice', serviceId: 'orders', version: 1, createdAt: 1_000, lastAccessedAt: 1_000 };

function live(sessionId: string, expiresAt: number, place = 0): TimedEntry & { readonly session: SessionRecord } {
  const session = { ...HEADER, state: 'live', sessionId, expiresAt, payload: new Uint8Array() } as const;
  return { session, place, purgeAt: expiresAt, now: NOW };
}

function ended(sessionId: string, endedAt: number, place = 0): TimedEntry & { readonly session: SessionTombstone } {
  const session = { ...HEADER, state: 'ended', sessionId, endedAt, endedBy: 'orders', reason: 'logged-out' } as const;
  return { session, place, purgeAt: PURGE_AT, now: NOW };
}

const idsOf = (sessions: readonly { readonly sessionId: string }[]) => sessions.map(({ sessionId }) => sessionId);

describe('visibleAt()', () => {
  it('returns a live session until the millisecond before its end, then its tombstone', () => {
    const entry = live('a', 5_000);
    expect(visibleAt(entry, 4_999)).toBe(entry.session);
    expect(visibleAt(entry, 5_000)).toMatchObject({ state: 'ended', reason: 'idle-timeout', endedAt: 5_000 });
  });

  it('returns a tombstone until the millisecond before its retention ends, then nothing', () => {
    const entry = ended('a', 5_000);
    expect(visibleAt(entry, PURGE_AT - 1)).toBe(entry.session);
    expect([PURGE_AT, PURGE_AT + 1, NaN].map((now) => visibleAt(entry, now))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('liveOf()', () => {
  it('returns the live sessions by place, each as at the time of its reading', () => {
    const late = { ...live('late', NOW, 1), now: NOW - 1 };
    const entries = [live('b', NOW + 1, 3), ended('x', 1), late, live('due', NOW, 0), live('a', NOW + 9, 2)];
    expect(idsOf(liveOf(entries))).toEqual(['late', 'a', 'b']);
  });
});

describe('historyOf()', () => {
  it('returns tombstones by their end, then unswept before swept sessions, then by place', () => {
    const gone = { ...ended('gone', NOW - 1), purgeAt: NOW };
    const entries = [ended('a', 1), ended('b', 2, 5), gone, live('x', NOW + 1), live('c', 2), ended('d', 2, 6)];
    expect(idsOf(historyOf(entries))).toEqual(['c', 'd', 'b', 'a']);
  });

  it('returns the newest ones up to the limit', () => {
    const entries = Array.from({ length: HISTORY_LIMIT + 1 }, (_, number) => ended(String(number), number));
    const found = historyOf(entries);
    expect([found.length, found[0], found.at(-1)]).toEqual([
      HISTORY_LIMIT,
      entries.at(-1)!.session,
      entries[1]!.session,
    ]);
  });
});
