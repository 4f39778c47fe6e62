import { beforeEach, describe, expect, it } from '@jest/globals';
import { StorageFullError } from '../../errors/storage.errors.js';
import { FakeClock } from '../../testing/fake-clock.js';
import type { StorageChange } from '../storage-change.js';
import { InMemorySessionStorage } from './in-memory-session-storage.js';

const RETENTION_MS = 60_000;

describe('InMemorySessionStorage at its maximum', () => {
  let clock: FakeClock;
  let storage: InMemorySessionStorage;

  beforeEach(() => {
    clock = new FakeClock();
    storage = new InMemorySessionStorage({ clock, maxSessions: 3 });
  });

  async function create(loginId: string, given: { perLogin?: number; idleTimeoutMs?: number } = {}) {
    const { perLogin = 10, idleTimeoutMs = 1_000 } = given;
    const result = await storage.create({
      sessionId: storage.nextSessionId(),
      loginId,
      by: 'svc',
      idleTimeoutMs,
      historyRetentionMs: RETENTION_MS,
      payload: new Uint8Array(),
      limits: { perLogin, onLimit: 'end-oldest' },
    });
    if (result.outcome !== 'created') throw new Error(result.outcome);
    return result.session.sessionId;
  }

  const end = (sessionId: string) =>
    storage.end({ sessionId, reason: 'logged-out', by: 'svc', historyRetentionMs: RETENTION_MS });

  it('a full storage rejects create() with StorageFullError, and ends and publishes nothing', async () => {
    const ids = [await create('a'), await create('a'), await create('b')];
    await new Promise(setImmediate);
    const changes: StorageChange[] = [];
    storage.changes((change) => changes.push(change));
    await expect(create('c')).rejects.toThrow(StorageFullError);
    await expect(create('a')).rejects.toMatchObject({ code: 'ERR_STORAGE_FULL', limit: 3 });
    await new Promise(setImmediate);
    expect(changes).toEqual([]);
    for (const id of ids) expect(await storage.get(id)).toMatchObject({ state: 'live' });
    expect(await storage.listByLogin('c')).toEqual([]);
    expect(await storage.count()).toEqual({ sessions: 3, logins: 2 });
  });

  it('a full storage creates a session that replaces another under the limit of its user', async () => {
    const oldest = await create('a');
    await create('b');
    await create('c');
    await create('a', { perLogin: 1 });
    expect(await storage.get(oldest)).toMatchObject({ state: 'ended', reason: 'limit' });
    expect(await storage.count()).toEqual({ sessions: 3, logins: 3 });
  });

  it('a full storage rotates, touches, reads and ends sessions, and has room again after an end', async () => {
    const ids = [await create('a'), await create('b'), await create('c')];
    const successor = { sessionId: storage.nextSessionId(), payload: new Uint8Array() };
    const rotation = { sessionId: ids[0]!, expectedVersion: 1, successor, graceMs: 0, by: 'svc' };
    const rotated = await storage.rotate({ ...rotation, historyRetentionMs: RETENTION_MS });
    expect(rotated.outcome).toBe('rotated');
    expect(await storage.touch([ids[1]!])).toMatchObject([{ sessionId: ids[1] }]);
    await end(ids[1]!);
    await expect(create('d')).resolves.toBeDefined();
    await expect(create('e')).rejects.toThrow(StorageFullError);
  });

  it('a full storage sweeps due sessions to make room, and publishes their ends', async () => {
    await create('a', { idleTimeoutMs: 10 });
    await create('b');
    await create('c');
    clock.advance(10);
    const endings: StorageChange[] = [];
    storage.changes((change) => change.type === 'session.ended' && endings.push(change));
    await create('d');
    await new Promise(setImmediate);
    expect(endings).toMatchObject([{ loginId: 'a', reason: 'idle-timeout' }]);
  });

  it('ping() reports a full storage as not writable until there is room', async () => {
    await create('a');
    await create('b');
    expect(await storage.ping()).toEqual({ writable: true, notes: [] });
    const id = await create('a');
    expect(await storage.ping()).toEqual({ writable: false, notes: [expect.stringContaining('3')] });
    await end(id);
    expect(await storage.ping()).toMatchObject({ writable: true });
  });

  it('a full storage keeps as many tombstones as sessions: the oldest tombstones give way, live sessions never do', async () => {
    const survivor = await create('survivor');
    const ended: string[] = [];
    for (let n = 0; n < 10; n++) {
      const id = await create(`login${n}`);
      await end(id);
      ended.push(id);
    }
    const known = await Promise.all(ended.map((id) => storage.get(id)));
    expect(known.map((stored) => stored !== undefined)).toEqual([...Array(7).fill(false), true, true, true]);
    expect(await storage.listHistory('login0')).toEqual([]);
    expect(await storage.listHistory('login9')).toHaveLength(1);
    expect(await storage.get(survivor)).toMatchObject({ state: 'live' });
    expect(await storage.count()).toEqual({ sessions: 1, logins: 1 });
  });
});

describe('InMemorySessionStorage with several owners', () => {
  it('the storage closes with the last owner, and keeps its sessions until it is opened again', async () => {
    const storage = new InMemorySessionStorage({ clock: new FakeClock() });
    const sessionId = storage.nextSessionId();
    const limits = { perLogin: 1, onLimit: 'reject' } as const;
    const session = { sessionId, loginId: 'a', by: 's', idleTimeoutMs: 1_000, payload: new Uint8Array(), limits };
    await storage.connect();
    await storage.connect();
    await storage.create({ ...session, historyRetentionMs: RETENTION_MS });
    await storage.close();
    expect(await storage.count()).toEqual({ sessions: 1, logins: 1 });
    await storage.close();
    const closed = { code: 'ERR_STORAGE_UNAVAILABLE' };
    await expect(storage.get(sessionId)).rejects.toMatchObject(closed);
    await expect(storage.services.list()).rejects.toMatchObject(closed);
    await expect(storage.ping()).rejects.toMatchObject(closed);
    await storage.close();
    await storage.connect();
    expect(await storage.get(sessionId)).toMatchObject({ state: 'live' });
    await storage.close();
    await expect(storage.count()).rejects.toMatchObject(closed);
  });
});
