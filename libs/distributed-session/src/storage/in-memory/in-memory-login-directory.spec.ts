import { beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { toTombstone } from '../session-lifetime.js';
import { InMemoryLogin, InMemoryLoginDirectory } from './in-memory-login-directory.js';
import type { EndedEntry, LiveEntry } from './in-memory-session-entry.js';

const NOW = 1_000;

/** A session with its user. */
type Online = LiveEntry & { readonly login: InMemoryLogin };

describe('InMemoryLoginDirectory', () => {
  let directory: InMemoryLoginDirectory;

  beforeEach(() => {
    directory = new InMemoryLoginDirectory();
  });

  function comeOnline(loginId: string, expiresAt = NOW + 1, login = new InMemoryLogin(loginId)): Online {
    const session: LiveEntry['session'] = {
      state: 'live',
      sessionId: 'id',
      loginId,
      serviceId: 's',
      version: 1,
      payload: new Uint8Array(),
      createdAt: 0,
      lastAccessedAt: 0,
      expiresAt,
    };
    const entry = { session, login, purgeAt: Infinity };
    login.add(entry);
    directory.update(login);
    return entry;
  }

  function goOffline(entry: Online): void {
    const tombstone = toTombstone(entry.session, { reason: 'logged-out', endedAt: NOW, endedBy: 's' });
    entry.login.moveToHistory(Object.assign<object, EndedEntry>(entry, { ...entry, session: tombstone }));
    directory.update(entry.login);
  }

  function walk(limit: number, between: () => void = () => {}): string[] {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = directory.page({ limit, cursor }, NOW);
      expect(page.logins.length).toBeLessThanOrEqual(limit);
      seen.push(...page.logins.map(({ loginId }) => loginId));
      cursor = page.nextCursor;
      between();
      if (seen.length > 10_000) throw new Error('the pages never end');
    } while (cursor !== undefined);
    return seen;
  }

  it('pages of any size return each user once, in the order of coming online', () => {
    const names = Array.from({ length: 25 }, (_, n) => `login${n}`);
    for (const name of names) comeOnline(name);
    for (const limit of [1, 3, 5, 24, 25, 26, 1_000]) expect(walk(limit)).toEqual(names);
    expect(directory.size).toBe(25);
    expect(new InMemoryLoginDirectory().page({ limit: 5 }, NOW)).toEqual({ logins: [] });
  });

  it('a page counts the live sessions of a user and omits a user who has only due ones', () => {
    const { login } = comeOnline('alice');
    comeOnline('alice', NOW + 5, login);
    comeOnline('alice', NOW, login);
    comeOnline('bob', NOW);
    expect(directory.page({ limit: 10 }, NOW)).toEqual({ logins: [{ loginId: 'alice', sessions: 2 }] });
  });

  it('a walk returns a user who stays online exactly once, whatever other users do meanwhile', () => {
    const step = fc.record({ goes: fc.nat(120), comes: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.array(step, { maxLength: 40 }), (limit, steps) => {
        directory = new InMemoryLoginDirectory();
        const stayers = Array.from({ length: 10 }, (_, n) => `stayer${n}`);
        const guests: Online[] = [];
        for (const name of stayers) {
          for (let n = 0; n < 12; n++) guests.push(comeOnline(`${name}.guest${n}`));
          comeOnline(name);
        }
        const pending = [...steps];
        const seen = walk(limit, () => {
          const { goes, comes } = pending.pop() ?? { goes: 0, comes: false };
          for (const entry of guests.splice(0, goes)) goOffline(entry);
          if (comes) comeOnline('newcomer');
        });
        expect(seen.filter((name) => stayers.includes(name))).toEqual(stayers);
        const firstVisits = seen.filter((name) => name !== 'newcomer');
        expect(new Set(firstVisits).size).toBe(firstVisits.length);
      }),
    );
  });

  it('a cursor stays valid after its user has left and its place was removed', () => {
    const entries = Array.from({ length: 200 }, (_, n) => comeOnline(`login${n}`));
    const { nextCursor } = directory.page({ limit: 100 }, NOW);
    for (const entry of entries.slice(0, 150)) goOffline(entry);
    expect(directory.size).toBe(50);
    const { logins } = directory.page({ limit: 100, cursor: nextCursor }, NOW);
    expect(logins.map(({ loginId }) => loginId)).toEqual(Array.from({ length: 50 }, (_, n) => `login${n + 150}`));
  });

  it('a user who returns is listed at the end only', () => {
    const first = comeOnline('alice');
    comeOnline('bob');
    goOffline(first);
    comeOnline('alice', NOW + 1, first.login);
    expect(walk(1)).toEqual(['bob', 'alice']);
  });

  it.each(['', 'x', '-1', '1.5', ' 1', '1e3', '0x10', '9'.repeat(16), '__proto__'])(
    'page() rejects the cursor %j',
    (cursor) => {
      expect(() => directory.page({ limit: 1, cursor }, NOW)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_INPUT', field: 'cursor' }),
      );
    },
  );
});
