import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ServicePermissionError } from '../errors/service.errors.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { until } from '../testing/assertions.js';
import { DistributedSessionManager } from './distributed-session.manager.js';

describe('DistributedSessionManager.touches', () => {
  let clock: FakeClock;
  let sessions: DistributedSessionManager;

  beforeEach(() => {
    clock = new FakeClock();
    const storage = new InMemorySessionStorage({ clock });
    sessions = new DistributedSessionManager({ serviceId: 'svc', storage, idleTimeoutMs: 10_000 });
  });

  afterEach(() => sessions.close());

  it('counts the touches of reads by the manager and all its views', async () => {
    const { sessionId } = await sessions.createSession('alice');
    const guest = sessions.as({ serviceId: 'guest', permissions: ['session.read', 'session.list'] });
    await guest.getSession(sessionId);
    await guest.getSession(sessionId, { touch: false });
    expect(sessions.touches).toEqual({ written: 0, coalesced: 1, dropped: 0, failed: 0 });
    clock.advance(1_000);
    await sessions.getSession(sessionId);
    await until(() => sessions.touches.written > 0, 'the touch');
    expect(guest.touches).toEqual({ written: 1, coalesced: 1, dropped: 0, failed: 0 });
    expect(Object.isFrozen(guest.touches)).toBe(true);
  });

  it('requires the session.list permission', () => {
    const guest = sessions.as({ serviceId: 'guest', permissions: ['session.read', 'session.write'] });
    expect(() => guest.touches).toThrow(ServicePermissionError);
    expect(() => guest.touches).toThrow(expect.objectContaining({ permission: 'session.list' }));
  });
});
