import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { OptionsError, type SessionStorage } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

const PASSWORD = 'password-of-the-test';
const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: 60_000 } as const;

let server: RedisServer;
const opened: RedisSessionStorage[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  for (const name of ['read-only', 'read-write']) {
    const [, user, ...rules] = (await readFile(`docs/redis-acl/${name}.acl`, 'utf8')).trim().split(' ');
    await server.call('ACL', 'SETUSER', user!, ...rules, `>${PASSWORD}`);
  }
});

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  await server.call('FLUSHALL');
});

afterAll(() => server.stop());

async function connectAs(user: string): Promise<RedisSessionStorage> {
  const storage = new RedisSessionStorage({ url: `redis://${user}:${PASSWORD}@127.0.0.1:${server.port}` });
  opened.push(storage);
  await storage.connect();
  return storage;
}

function creation(storage: SessionStorage, loginId: string) {
  const limits = { perLogin: 100, onLimit: 'end-oldest' } as const;
  const payload = Buffer.from('payload');
  const sessionId = storage.nextSessionId(loginId);
  return { sessionId, loginId, idleTimeoutMs: 60_000, payload, limits, by: 'tester', historyRetentionMs: 60_000 };
}

describe('RedisSessionStorage with the rights of read-only.acl', () => {
  test('reads sessions and services, and receives the changes of other processes', async () => {
    const [writer, reader] = [await connectAs('ds-read-write'), await connectAs('ds-read-only')];
    const received: string[] = [];
    reader.changes(({ type }) => received.push(type));
    const session = creation(writer, 'alice');
    await writer.create(session);
    expect(await reader.get(session.sessionId)).toMatchObject({ state: 'live', loginId: 'alice' });
    expect(await reader.listByLogin('alice')).toHaveLength(1);
    expect(await reader.count()).toEqual({ sessions: 1, logins: 1 });
    expect(await reader.listLogins({ limit: 10 })).toMatchObject({ logins: [{ loginId: 'alice', sessions: 1 }] });
    expect(await reader.services.list()).toEqual([]);
    await writer.end({ ...ending, sessionId: session.sessionId });
    await eventually(() => received.includes('session.ended'));
    expect(received).toEqual(['session.created', 'session.ended']);
    expect(await reader.listHistory('alice')).toMatchObject([{ reason: 'logged-out' }]);
    await eventually(() => reader.feedLagMs() < 5_000);
    expect(Math.abs(reader.now() - writer.now())).toBeLessThan(1_000);
  });

  test('reads a session as expired from the moment of its expiry', async () => {
    const [writer, reader] = [await connectAs('ds-read-write'), await connectAs('ds-read-only')];
    const brief = { ...creation(writer, 'bob'), idleTimeoutMs: 200 };
    await writer.create(brief);
    await eventually(async () => (await reader.get(brief.sessionId))?.state === 'ended');
    expect(await reader.get(brief.sessionId)).toMatchObject({ reason: 'idle-timeout' });
  });

  test('rejects every write as not applied before it reaches the server', async () => {
    const [writer, reader] = [await connectAs('ds-read-write'), await connectAs('ds-read-only')];
    const session = creation(writer, 'alice');
    const { sessionId } = session;
    await writer.create(session);
    await server.resetStatistics();
    const change = { sessionId, expectedVersion: 1, payload: Buffer.from('x'), by: 'tester' };
    const successor = { sessionId: reader.nextSessionId('alice'), payload: Buffer.from('x') };
    const writes = [
      reader.create(creation(reader, 'alice')),
      reader.replace({ ...change, touch: true }),
      reader.touch([sessionId]),
      reader.rotate({ ...change, ...ending, successor, graceMs: 0 }),
      reader.end({ ...ending, sessionId }),
      reader.endAll({ ...ending, loginId: 'alice' }),
      reader.services.remove({ serviceId: 'orders', by: 'tester' }),
    ];
    for (const result of await Promise.allSettled(writes)) {
      const reason = { code: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining('does not allow its user') };
      expect(result).toMatchObject({ status: 'rejected', reason });
    }
    expect(await reader.get(sessionId)).toMatchObject({ state: 'live', version: 1 });
    expect(await reader.ping()).toMatchObject({ writable: false, notes: [expect.stringContaining('its user')] });
    expect(await writer.ping()).toEqual({ writable: true, notes: [] });
    expect(await writer.count()).toEqual({ sessions: 1, logins: 1 });
    expect((await server.commandCounts())['hset'] ?? 0).toBe(0);
  });
});

describe('RedisSessionStorage with incomplete rights', () => {
  test.each([
    ['-publish', 'PUBLISH'],
    ['-zadd', 'ZADD'],
    ['-hget', 'HGET'],
    ['resetchannels', 'SUBSCRIBE, PUBLISH'],
  ])(
    'rejects a user without a necessary right (%s) at start, before a script could stop half-way',
    async (rule, missing) => {
      const [, , ...rules] = (await readFile('docs/redis-acl/read-write.acl', 'utf8')).trim().split(' ');
      await server.call('ACL', 'SETUSER', 'lacking', 'reset', ...rules, `>${PASSWORD}`, rule);
      const refused: unknown = await connectAs('lacking').catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(OptionsError);
      expect((refused as OptionsError).errors).toEqual([
        `its user may not run ${missing} on the keys of this library: see docs/redis-acl`,
      ]);
    },
  );

  test('rejects a user whose rights are for another prefix', async () => {
    const url = `redis://ds-read-write:${PASSWORD}@127.0.0.1:${server.port}`;
    const storage = new RedisSessionStorage({ url, keyPrefix: 'other' });
    await expect(storage.connect()).rejects.toMatchObject({ message: expect.stringContaining('its user') });
  });
});
