import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { withAccess, toTombstone, expiredTombstone, expiryOf, isDue, asSeenAt } from './session-lifetime.js';
import type { SessionRecord } from './session-record.js';

const T = Date.UTC(2030, 0, 1);
const session: SessionRecord = {
  state: 'live',
  sessionId: 'id',
  loginId: 'alice',
  serviceId: 'svc',
  version: 4,
  createdAt: T,
  lastAccessedAt: T,
  idleTimeoutMs: 1_000,
  expiresAt: T + 1_000,
  absoluteExpiresAt: T + 5_000,
  payload: Uint8Array.of(1, 2, 3),
};
const millis = fc.integer({ min: 0, max: 10_000 });

describe('isDue()', () => {
  it('a session is due from the exact millisecond of its expiry', () => {
    expect(isDue(session, T + 999)).toBe(false);
    expect(isDue(session, T + 1_000)).toBe(true);
  });

  it('a session is due if a time is not a number', () => {
    for (const expiresAt of [NaN, undefined, 'soon', {}]) {
      expect(isDue({ ...session, expiresAt } as unknown as SessionRecord, T)).toBe(true);
    }
    expect(isDue(session, NaN)).toBe(true);
    expect(isDue({ ...session, expiresAt: expiryOf(T, NaN) }, T)).toBe(true);
    expect(isDue({ ...session, expiresAt: expiryOf(T, 1_000, NaN) }, T)).toBe(true);
    expect(isDue({ ...session, expiresAt: expiryOf(T, -1) }, T)).toBe(true);
  });
});

describe('withAccess()', () => {
  it('an access moves the idle end and leaves the given record unchanged', () => {
    const before = { ...session };
    const after = withAccess(session, T + 600);
    expect(after).toEqual({ ...session, lastAccessedAt: T + 600, expiresAt: T + 1_600 });
    expect(session).toEqual(before);
  });

  it('an access never moves the absolute end, never exceeds it and never moves back, whatever the clock does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -10_000, max: 10_000 })),
        fc.boolean(),
        fc.boolean(),
        (steps, idle, abs) => {
          const { idleTimeoutMs, absoluteExpiresAt, ...rest } = session;
          let current: SessionRecord = {
            ...rest,
            ...(idle && { idleTimeoutMs }),
            ...(abs && { absoluteExpiresAt }),
            expiresAt: expiryOf(T, idle ? idleTimeoutMs : undefined, abs ? absoluteExpiresAt : undefined),
          };
          for (const step of steps) {
            const next = withAccess(current, T + step);
            expect(next.absoluteExpiresAt).toBe(abs ? absoluteExpiresAt : undefined);
            expect(next.expiresAt).toBeLessThanOrEqual(next.absoluteExpiresAt ?? Infinity);
            expect(next.lastAccessedAt).toBeGreaterThanOrEqual(current.lastAccessedAt);
            expect(next.expiresAt).toBeGreaterThanOrEqual(current.expiresAt);
            expect(next.expiresAt).toBeLessThanOrEqual(idle ? next.lastAccessedAt + idleTimeoutMs! : Infinity);
            current = next;
          }
        },
      ),
    );
  });
});

describe('tombstones', () => {
  it('an expired tombstone has the time and the reason of the expiry; the absolute end wins a draw', () => {
    const by = { endedBy: '@expiry', state: 'ended', version: 4 };
    expect(expiredTombstone(session)).toMatchObject({ ...by, reason: 'idle-timeout', endedAt: T + 1_000 });
    const draw = { ...session, absoluteExpiresAt: T + 1_000 };
    expect(expiredTombstone(draw)).toMatchObject({ ...by, reason: 'absolute-timeout', endedAt: T + 1_000 });
    const { idleTimeoutMs, ...noIdle } = { ...session, expiresAt: T + 5_000 };
    expect(expiredTombstone(noIdle)).toMatchObject({ reason: 'absolute-timeout' });
    expect(expiredTombstone({ ...session, absoluteExpiresAt: undefined })).toMatchObject({ reason: 'idle-timeout' });
    expect(idleTimeoutMs).toBe(1_000);
  });

  it('a tombstone has no payload, no timeouts and no undefined fields', () => {
    const ending = { reason: 'logged-out', endedAt: T + 1, endedBy: 'svc', actor: undefined } as const;
    expect(JSON.stringify(toTombstone(session, ending))).toBe(
      JSON.stringify({
        state: 'ended',
        sessionId: 'id',
        loginId: 'alice',
        serviceId: 'svc',
        version: 4,
        createdAt: T,
        lastAccessedAt: T,
        reason: 'logged-out',
        endedAt: T + 1,
        endedBy: 'svc',
      }),
    );
    expect(Object.values(toTombstone(session, ending))).not.toContain(undefined);
  });

  it('the tombstone of a rotation has the successor and the end of the grace period, which defaults to the end of the session', () => {
    const rotation = { reason: 'rotated', endedAt: T, endedBy: 'svc', rotatedTo: 'next', actor: 'alice' } as const;
    const tombstone = toTombstone({ ...session, device: 'web' }, { ...rotation, graceEndsAt: T + 9 });
    expect(tombstone).toMatchObject({ rotatedTo: 'next', graceEndsAt: T + 9, device: 'web', actor: 'alice' });
    expect(toTombstone(session, rotation)).toMatchObject({ graceEndsAt: T });
  });
});

describe('asSeenAt()', () => {
  it('a session reads as live until it is due, and as its tombstone afterwards', () => {
    fc.assert(
      fc.property(millis, (elapsed) => {
        expect(asSeenAt(session, T + elapsed)).toEqual(elapsed < 1_000 ? session : expiredTombstone(session));
      }),
    );
    const tombstone = toTombstone(session, { reason: 'revoked', endedAt: T, endedBy: 'svc' });
    expect(asSeenAt(tombstone, T + 10 ** 9)).toBe(tombstone);
  });
});
