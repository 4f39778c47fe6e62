import { beforeEach, describe, expect, it } from '@jest/globals';
import { StorageCorruptError } from '../errors/storage.errors.js';
import { resolveOptions } from '../resolve-options.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { NO_ATTRIBUTES } from '../model/attributes.js';
import { openLive } from './open-session.js';
import { SessionIssuer } from './session-issuer.js';
import { TokenDigests } from './token-digests.js';
import { SessionEnder } from './session-ender.js';

const GRACE_MS = 10_000;

describe('SessionEnder', () => {
  let clock: FakeClock;
  let storage: InMemorySessionStorage;
  let issuer: SessionIssuer;
  let terminator: SessionEnder;
  let sessionId: string;

  beforeEach(async () => {
    clock = new FakeClock();
    storage = new InMemorySessionStorage({ clock });
    const options = resolveOptions({ serviceId: 'svc', storage, rotationGraceMs: GRACE_MS });
    issuer = new SessionIssuer(storage, options, new TokenDigests({}));
    terminator = new SessionEnder(storage, options.historyRetentionMs);
    const creation = { loginId: 'alice', attributes: NO_ATTRIBUTES, timeouts: options.timeouts };
    sessionId = (await issuer.create(creation, { by: 'svc', mayDisplace: true })).open.record.sessionId;
  });

  const logOut = (id = sessionId) => terminator.end(id, { reason: 'logged-out', by: 'svc', actor: 'alice' });
  const rotate = async (id = sessionId) => {
    const current = openLive(await storage.get(id), id);
    return (await issuer.rotate(current, { graceMs: GRACE_MS, by: 'svc' })).open.record.sessionId;
  };

  it('ends a session once: only the call that ended it returns true', async () => {
    expect(await Promise.all([logOut(), logOut(), logOut()])).toEqual([true, false, false]);
    expect(await logOut(storage.nextSessionId())).toBe(false);
    expect(await storage.get(sessionId)).toMatchObject({ reason: 'logged-out', endedBy: 'svc', actor: 'alice' });
  });

  it('ends the successor if a logout races with a rotation', async () => {
    const successor = await rotate();
    expect(await logOut()).toBe(true);
    expect(await storage.get(successor)).toMatchObject({ state: 'ended', reason: 'logged-out', actor: 'alice' });
    expect(await storage.get(sessionId)).toMatchObject({ reason: 'rotated', rotatedTo: successor });
    expect(await storage.count()).toEqual({ sessions: 0, logins: 0 });
  });

  it('follows as many consecutive rotations as a credential does', async () => {
    const last = await rotate(await rotate(await rotate()));
    expect(await logOut()).toBe(true);
    expect(await storage.get(last)).toMatchObject({ state: 'ended' });
  });

  it('does not end the successor after the grace period', async () => {
    const successor = await rotate();
    clock.advance(GRACE_MS);
    expect(await logOut()).toBe(false);
    expect(await storage.get(successor)).toMatchObject({ state: 'live' });
  });

  it('does not end an expired session as logged-out', async () => {
    clock.advance(3_600_000);
    expect(await logOut()).toBe(false);
    expect(await storage.get(sessionId)).toMatchObject({ reason: 'idle-timeout' });
  });

  it('throws if the storage returns another session', async () => {
    const other = await storage.end({ sessionId, reason: 'revoked', by: 'x', historyRetentionMs: 1_000 });
    storage.end = async () => other;
    await expect(logOut(storage.nextSessionId())).rejects.toThrow(StorageCorruptError);
  });

  it('returns the number of sessions that it ended for a user', async () => {
    const ending = { loginId: 'alice', reason: 'revoked', by: 'svc' } as const;
    expect(await terminator.endAll({ ...ending, exceptSessionId: sessionId })).toBe(0);
    expect(await terminator.endAll(ending)).toBe(1);
    expect(await terminator.endAll(ending)).toBe(0);
  });
});
