import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { packedRecord, packedTombstone } from '../../../../../test/support/redis/packed-session.js';
import type { SessionRecord, SessionTombstone } from '../session-record.js';
import { HISTORY_LIMIT } from '../session-storage.js';
import { LoginSessions, endOf } from './login-sessions.js';

const KEY = '{ds:01}:u:0123456789abcde';
const NOW = 1_700_000_000_000;
const RETENTION_MS = 60_000;

/** Session ids under one tag, by number. */
const idOf = (number: number) => `01234567-89ab-8cde-8000-${String(number).padStart(12, '0')}`;
const header = (number: number, loginId: string) => ({
  sessionId: idOf(number),
  loginId,
  serviceId: 'orders',
  version: 1,
  createdAt: NOW - 9_000,
  lastAccessedAt: NOW - 5_000,
});

interface Stored {
  readonly loginId?: string;
  readonly place?: number;
}

/** Field and value of a live session. */
function live(number: number, expiresAt: number, { loginId = 'alice', place = number }: Stored = {}): Buffer[] {
  const payload = Buffer.from('payload');
  const session: SessionRecord = {
    ...header(number, loginId),
    state: 'live',
    idleTimeoutMs: 5_000,
    expiresAt,
    payload,
  };
  return [Buffer.from(idOf(number)), packedRecord(session, { place, historyRetentionMs: RETENTION_MS })];
}

/** Field and value of a session that has ended. */
function ended(number: number, endedAt: number, { loginId = 'alice', place = number }: Stored = {}): Buffer[] {
  const ending = { state: 'ended', reason: 'logged-out', endedAt, endedBy: 'orders' } as const;
  const session: SessionTombstone = { ...header(number, loginId), ...ending };
  return [Buffer.from(idOf(number)), packedTombstone(session, { place, historyRetentionMs: RETENTION_MS })];
}

const read = (...fields: readonly Buffer[][]) => new LoginSessions(KEY, fields.flat());
const numbers = (sessions: readonly { readonly sessionId: string }[]) =>
  sessions.map(({ sessionId }) => Number(sessionId.slice(-12)));

describe('LoginSessions', () => {
  let logged: jest.SpiedFunction<Logger['error']>;

  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('lists live sessions by place, not by their order in the hash or their times', () => {
    const sessions = read(
      live(1, NOW + 30, { place: 3 }),
      live(2, NOW + 10, { place: 1 }),
      live(3, NOW + 20, { place: 2 }),
    );
    expect(numbers(sessions.listLive('alice', NOW))).toEqual([2, 3, 1]);
    expect(sessions.listHistory('alice', NOW)).toEqual([]);
  });

  it('moves a session to the history at the millisecond of its expiry, and drops it after its retention', () => {
    const sessions = read(live(1, NOW));
    const at = (now: number) => [sessions.listLive('alice', now).length, sessions.listHistory('alice', now).length];
    expect(at(NOW - 1)).toEqual([1, 0]);
    expect(at(NOW)).toEqual([0, 1]);
    expect(sessions.listHistory('alice', NOW)[0]).toMatchObject({
      reason: 'idle-timeout',
      endedAt: NOW,
      endedBy: '@expiry',
    });
    expect(at(NOW + RETENTION_MS - 1)).toEqual([0, 1]);
    expect(at(NOW + RETENTION_MS)).toEqual([0, 0]);
  });

  it('orders the history by end time, then unswept before swept sessions, then by place', () => {
    const sessions = read(
      ended(1, NOW - 2),
      ended(2, NOW - 1, { place: 5 }),
      ended(3, NOW - 1, { place: 6 }),
      live(4, NOW - 1, { place: 1 }),
      live(5, NOW - 1, { place: 2 }),
      live(6, NOW - 3),
    );
    expect(numbers(sessions.listHistory('alice', NOW))).toEqual([5, 4, 3, 2, 1, 6]);
  });

  it('limits the history to the newest tombstones, including unswept sessions', () => {
    const tombstones = Array.from({ length: HISTORY_LIMIT }, (_, number) => ended(number, NOW - 1_000 + number));
    const history = read(...tombstones, live(900, NOW - 1)).listHistory('alice', NOW);
    expect(history).toHaveLength(HISTORY_LIMIT);
    expect(numbers(history).slice(0, 2)).toEqual([900, HISTORY_LIMIT - 1]);
    expect(numbers(history)).not.toContain(0);
  });

  it('separates users with the same tag', () => {
    const sessions = read(
      live(1, NOW + 9),
      live(2, NOW + 9, { loginId: 'bob' }),
      live(3, NOW + 9, { loginId: 'bob' }),
      ended(4, NOW - 1),
      ended(5, NOW - 1, { loginId: 'bob' }),
      live(6, NOW, { loginId: 'carol' }),
    );
    expect([numbers(sessions.listLive('alice', NOW)), numbers(sessions.listLive('bob', NOW))]).toEqual([[1], [2, 3]]);
    expect([numbers(sessions.listHistory('alice', NOW)), numbers(sessions.listHistory('bob', NOW))]).toEqual([
      [4],
      [5],
    ]);
    expect(sessions.onlineLogins(NOW)).toEqual([
      { loginId: 'alice', sessions: 1 },
      { loginId: 'bob', sessions: 2 },
    ]);
    expect(sessions.listLive('mallory', NOW)).toEqual([]);
  });

  it('returns when each session expires or its tombstone is purged', () => {
    const sessions = read(live(1, NOW + 9), ended(2, NOW - 1));
    expect(sessions.ends).toEqual([NOW + 9, NOW - 1 + RETENTION_MS]);
    expect(endOf(sessions.find(idOf(1))!)).toBe(NOW + 9);
    expect(sessions.find(idOf(3))).toBeUndefined();
  });

  it('lists and counts unreadable values, and logs where those are that are not valid, but not their content', () => {
    const canary = [Buffer.from(idOf(2)), Buffer.concat([Buffer.from([0]), Buffer.from('CANARY')])];
    const newer = [Buffer.from(idOf(3)), Buffer.concat([Buffer.from([16]), Buffer.from('LCANARY')])];
    const sessions = read(live(1, NOW + 9), canary, newer, live(4, NOW + 9));
    const unreadable = { state: 'unreadable', loginId: 'alice' };
    expect(sessions.listLive('alice', NOW)).toEqual([
      { ...unreadable, sessionId: idOf(2), cause: 'corrupt' },
      { ...unreadable, sessionId: idOf(3), cause: 'newer-format' },
      expect.objectContaining({ state: 'live', sessionId: idOf(1) }),
      expect.objectContaining({ state: 'live', sessionId: idOf(4) }),
    ]);
    expect(sessions.onlineLogins(NOW)).toEqual([{ loginId: 'alice', sessions: 4 }]);
    const lines = logged.mock.calls.map(([line]) => String(line));
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`HDEL ${KEY.replace(/[{}]/gu, '\\$&')} ${idOf(2)}$`, 'u')),
    ]);
    expect(lines.join()).not.toContain('CANARY');
  });

  it('skips a tombstone that is not valid', () => {
    const [id, value] = ended(1, NOW - 1);
    const sessions = read([id!, value!.subarray(0, 70)], live(2, NOW + 9));
    expect(numbers(sessions.listLive('alice', NOW))).toEqual([2]);
    expect(sessions.listHistory('alice', NOW)).toEqual([]);
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('takes the user of an unreadable session from its record, if it is intact', () => {
    const [id, value] = live(1, NOW + 9, { loginId: 'bob' });
    value!.writeDoubleLE(NaN, 26);
    const sessions = read([id!, value!], live(2, NOW + 9));
    expect(numbers(sessions.listLive('alice', NOW))).toEqual([2]);
    expect(sessions.listLive('bob', NOW)).toMatchObject([
      { sessionId: idOf(1), serviceId: 'orders', cause: 'corrupt' },
    ]);
  });

  it('never returns the value of another session under an id', () => {
    const [, value] = live(1, NOW + 9);
    const sessions = read([Buffer.from(idOf(2)), value!]);
    expect(sessions.listLive('alice', NOW)).toEqual([
      { state: 'unreadable', cause: 'corrupt', sessionId: idOf(2), loginId: 'alice' },
    ]);
    expect([sessions.find(idOf(1)), sessions.find(idOf(2))]).toEqual([undefined, undefined]);
    expect(logged).toHaveBeenCalledTimes(1);
  });
});
