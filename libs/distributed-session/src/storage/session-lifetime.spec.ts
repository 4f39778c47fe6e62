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

describe('isDue', () => {
  it('is over from the very millisecond of the expiry on', () => {
    expect(isDue(session, T + 999)).toBe(false);
    expect(isDue(session, T + 1_000)).toBe(true);
  });

  it('is over when a time is no number', () => {
    for (const expiresAt of [NaN, undefined, 'soon', {}]) {
      expect(isDue({ ...session, expiresAt } as unknown as SessionRecord, T)).toBe(true);
    }
    expect(isDue(session, NaN)).toBe(true);
    expect(isDue({ ...session, expiresAt: expiryOf(T, NaN) }, T)).toBe(true);
    expect(isDue({ ...session, expiresAt: expiryOf(T, 1_000, NaN) }, T)).toBe(true);
    expect(isDue({ ...session, expiresAt: expiryOf(T, -1) }, T)).toBe(true);
  });
});

describe('accessed', () => {
  it('moves the idle end and leaves the record that it was given as it was', () => {
    const before = { ...session };
    const after = withAccess(session, T + 600);
    expect(after).toEqual({ ...session, lastAccessedAt: T + 600, expiresAt: T + 1_600 });
    expect(session).toEqual(before);
  });

  it('never moves the absolute end nor goes beyond it, nor moves an access back, whatever the clock does', () => {
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
  it('say when a session was due, and which end it was: the absolute one in a draw', () => {
    const by = { endedBy: '@expiry', state: 'ended', version: 4 };
    expect(expiredTombstone(session)).toMatchObject({ ...by, reason: 'idle-timeout', endedAt: T + 1_000 });
    const draw = { ...session, absoluteExpiresAt: T + 1_000 };
    expect(expiredTombstone(draw)).toMatchObject({ ...by, reason: 'absolute-timeout', endedAt: T + 1_000 });
    const { idleTimeoutMs, ...noIdle } = { ...session, expiresAt: T + 5_000 };
    expect(expiredTombstone(noIdle)).toMatchObject({ reason: 'absolute-timeout' });
    expect(expiredTombstone({ ...session, absoluteExpiresAt: undefined })).toMatchObject({ reason: 'idle-timeout' });
    expect(idleTimeoutMs).toBe(1_000);
  });

  it('keep neither payload nor timeouts, and no absent field as undefined', () => {
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

  it('of a rotation name the successor and the end of the grace, which is at once where none is given', () => {
    const rotation = { reason: 'rotated', endedAt: T, endedBy: 'svc', rotatedTo: 'next', actor: 'alice' } as const;
    const stone = toTombstone({ ...session, device: 'web' }, { ...rotation, graceEndsAt: T + 9 });
    expect(stone).toMatchObject({ rotatedTo: 'next', graceEndsAt: T + 9, device: 'web', actor: 'alice' });
    expect(toTombstone(session, rotation)).toMatchObject({ graceEndsAt: T });
  });
});

describe('seenAt', () => {
  it('shows a session as live until it is due, and as the one tombstone from then on', () => {
    fc.assert(
      fc.property(millis, (elapsed) => {
        expect(asSeenAt(session, T + elapsed)).toEqual(elapsed < 1_000 ? session : expiredTombstone(session));
      }),
    );
    const stone = toTombstone(session, { reason: 'revoked', endedAt: T, endedBy: 'svc' });
    expect(asSeenAt(stone, T + 10 ** 9)).toBe(stone);
  });
});
