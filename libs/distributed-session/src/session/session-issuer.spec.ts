import { describe, expect, it } from '@jest/globals';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { DistributedSessionManager } from './distributed-session.manager.js';

describe('SessionIssuer', () => {
  it.each(['create', 'rotate'] as const)('rejects a session of another user as the result of %s', async (method) => {
    const storage = new InMemorySessionStorage();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    const { sessionId } = await sessions.createSession('alice');
    const original = storage[method].bind(storage) as (operation: never) => Promise<{ session: object }>;
    const falsified = async (operation: never) => {
      const result = await original(operation);
      return { ...result, session: { ...result.session, loginId: 'mallory' } };
    };
    Object.assign(storage, { [method]: falsified });
    const issued = method === 'create' ? sessions.createSession('alice') : sessions.rotateSession(sessionId);
    await expect(issued).rejects.toMatchObject({ code: 'ERR_STORAGE_CORRUPT' });
  });

  it('retries with another id if one is taken, and throws if all are', async () => {
    const storage = new InMemorySessionStorage();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    const { sessionId } = await sessions.createSession('alice');
    const original = storage.nextSessionId.bind(storage);
    let repeats = 2;
    storage.nextSessionId = () => (repeats-- > 0 ? sessionId : original());
    expect((await sessions.createSession('bob')).sessionId).not.toBe(sessionId);
    repeats = Infinity;
    await expect(sessions.createSession('bob')).rejects.toMatchObject({ code: 'ERR_STORAGE_CORRUPT' });
    await expect(sessions.rotateSession(sessionId)).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
    expect(await sessions.countSessions('alice')).toBe(1);
  });
});
