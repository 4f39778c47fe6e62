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
    expect(await storage.count()).toEqual({ sessions: 0, logins: 0 });
  });

  it('connects once, however often it is asked, and not again after it was closed', async () => {
    const storage = new InMemorySessionStorage();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await Promise.all([sessions.connect(), sessions.connect()]);
    await sessions.connect();
    await sessions.close();
    await expect(storage.count()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
    await expect(sessions.connect()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
    await expect(storage.count()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
  });

  it('tries again to connect after a failure', async () => {
    const storage = new InMemorySessionStorage();
    const connect = storage.connect.bind(storage);
    storage.connect = () => Promise.reject(new Error('not yet'));
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await expect(sessions.connect()).rejects.toThrow('not yet');
    storage.connect = connect;
    await sessions.connect();
    await sessions.close();
    await expect(storage.count()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
  });

  it('proves nothing from memory any more, since it hears of no revocation', async () => {
    const storage = new InMemorySessionStorage();
    await storage.connect();
    const [here, there] = ['here', 'there'].map((serviceId) => new DistributedSessionManager({ serviceId, storage }));
    const { secret } = await here!.registerService({ serviceId: 'orders', serviceName: 'Orders', permissions: [] });
    await there!.close();
    await there!.verifyService('orders', secret);
    await here!.revokeService('orders');
    await expect(there!.verifyService('orders', secret)).rejects.toMatchObject({ code: 'ERR_SERVICE_AUTHENTICATION' });
  });

  it('gives up one connection, however often it is asked', async () => {
    const storage = new InMemorySessionStorage();
    await storage.connect();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await sessions.connect();
    await Promise.all([sessions.close(), sessions.close()]);
    await sessions.close();
    expect(await storage.count()).toEqual({ sessions: 0, logins: 0 });
  });
});
