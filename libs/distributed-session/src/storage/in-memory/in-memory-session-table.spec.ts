import { beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { SessionRecord } from '../session-record.js';
import { ChangeListeners } from '../shared/change-listeners.js';
import { isLive } from './in-memory-session-entry.js';
import { InMemorySessionTable } from './in-memory-session-table.js';

const RETENTION_MS = 20;

function record(sessionId: string, loginId: string, expiresAt: number): SessionRecord {
  return {
    state: 'live',
    sessionId,
    loginId,
    serviceId: 's',
    version: 1,
    payload: new Uint8Array(),
    createdAt: 0,
    lastAccessedAt: 0,
    expiresAt,
  };
}

describe('InMemorySessionTable', () => {
  let table: InMemorySessionTable;

  beforeEach(() => {
    table = new InMemorySessionTable(new ChangeListeners(), 1_000);
  });

  /** Counts the live sessions one by one. */
  function walked(now: number) {
    const { logins } = table.directory.page({ limit: 1_000 }, now);
    return { sessions: logins.reduce((sum, { sessions }) => sum + sessions, 0), logins: logins.length };
  }

  it('countLive() agrees with a walk over all users, whatever was ended, rotated, touched or is due', () => {
    const step = fc.record({
      does: fc.constantFrom('create', 'create', 'end', 'rotate', 'touch', 'pass', 'sweep'),
      login: fc.nat(3),
      session: fc.nat(40),
      ms: fc.nat(15),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        table = new InMemorySessionTable(new ChangeListeners(), 5);
        let now = 0;
        for (const [index, { does, login, session, ms }] of steps.entries()) {
          const ending = { reason: 'logged-out', endedAt: now, endedBy: 's' } as const;
          const entry = table.find(`id${session}`, now);
          const id = `id${index}`;
          if (does === 'create') table.add(record(id, `login${login}`, now + ms));
          if (does === 'pass') now += ms;
          if (does === 'sweep') table.sweep(now, login, RETENTION_MS);
          if (entry && isLive(entry)) {
            const { loginId, expiresAt } = entry.session;
            if (does === 'touch') entry.session = { ...entry.session, expiresAt: expiresAt + ms };
            if (does === 'rotate') table.add(record(id, loginId, expiresAt), entry);
            if (does === 'rotate') table.end(entry, { ...ending, reason: 'rotated', rotatedTo: id }, RETENTION_MS);
            if (does === 'end') table.end(entry, ending, RETENTION_MS);
          }
          expect(table.countLive(now)).toEqual(walked(now));
        }
      }),
    );
  });

  it('countLive() examines only due sessions', () => {
    let looks = 0;
    for (let n = 0; n < 100; n++) {
      const watched = Object.defineProperty(record(`id${n}`, `login${n % 50}`, 0), 'expiresAt', {
        get: () => {
          looks++;
          return n;
        },
      });
      table.add(watched);
    }
    looks = 0;
    expect(table.countLive(9)).toEqual({ sessions: 90, logins: 50 });
    expect(looks).toBe(10);
  });
});
