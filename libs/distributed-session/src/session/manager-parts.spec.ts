import { Logger } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { DistributedSessionManager } from './distributed-session.manager.js';

describe('DistributedSessionManager.connect() and close()', () => {
  it('warns once at the start if minTokenLength admits tokens that can be guessed', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    for (const minTokenLength of [undefined, 22, 21, 1]) {
      const sessions = new DistributedSessionManager({
        serviceId: 'svc',
        storage: new InMemorySessionStorage(),
        minTokenLength,
      });
      await sessions.connect();
      await sessions.connect();
      await sessions.close();
    }
    expect(warn.mock.calls.map(([text]) => String(text).slice(0, 22))).toEqual([
      'minTokenLength is 21: ',
      'minTokenLength is 1: c',
    ]);
    warn.mockRestore();
  });

  it('closes the storage that the manager connected', async () => {
    const storage = new InMemorySessionStorage();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await sessions.connect();
    await sessions.close();
    await expect(storage.count()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
  });

  it('leaves a storage open that only others have connected', async () => {
    const storage = new InMemorySessionStorage();
    await storage.connect();
    await new DistributedSessionManager({ serviceId: 'svc', storage }).close();
    expect(await storage.count()).toEqual({ sessions: 0, logins: 0 });
  });

  it('connects once, even if called again, and never after it was closed', async () => {
    const storage = new InMemorySessionStorage();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await Promise.all([sessions.connect(), sessions.connect()]);
    await sessions.connect();
    await sessions.close();
    await expect(storage.count()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
    await expect(sessions.connect()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
    await expect(storage.count()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
  });

  it('connects again after a failure', async () => {
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

  it('drops cached verifications when closed, because it no longer receives revocations', async () => {
    const storage = new InMemorySessionStorage();
    await storage.connect();
    const [here, there] = ['here', 'there'].map((serviceId) => new DistributedSessionManager({ serviceId, storage }));
    const { secret } = await here!.registerService({ serviceId: 'orders', serviceName: 'Orders', permissions: [] });
    await there!.close();
    await there!.verifyService('orders', secret);
    await here!.revokeService('orders');
    await expect(there!.verifyService('orders', secret)).rejects.toMatchObject({ code: 'ERR_SERVICE_AUTHENTICATION' });
  });

  it('releases one connection, even if closed several times', async () => {
    const storage = new InMemorySessionStorage();
    await storage.connect();
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
    await sessions.connect();
    await Promise.all([sessions.close(), sessions.close()]);
    await sessions.close();
    expect(await storage.count()).toEqual({ sessions: 0, logins: 0 });
  });
});
