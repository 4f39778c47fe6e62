import { describe, expect, it } from '@jest/globals';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { DistributedSessionManager } from './distributed-session.manager.js';

describe('closing a manager', () => {
  it('closes the storage that it has connected', async () => {
    const storage = new InMemorySessionStorage();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await sessions.connect();
    await sessions.close();
    await expect(storage.count()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
  });

  it('leaves open a storage that only others have connected', async () => {
    const storage = new InMemorySessionStorage();
    await storage.connect();
    await new DistributedSessionManager({ serviceId: 'svc', storage }).close();
    expect(await storage.count()).toBe(0);
  });

  it('gives up one connection, however often it is asked', async () => {
    const storage = new InMemorySessionStorage();
    await storage.connect();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await sessions.connect();
    await Promise.all([sessions.close(), sessions.close()]);
    await sessions.close();
    expect(await storage.count()).toBe(0);
  });
});
