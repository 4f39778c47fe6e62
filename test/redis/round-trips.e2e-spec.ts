import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES, warmUpServices } from '../support/storage/service-calls.js';
import { created, creation, READS, RETENTION_MS, warmUp, WRITES } from '../support/storage/storage-calls.js';

const SWEEP = { limit: 10, historyRetentionMs: RETENTION_MS };
/** The commands of the reads of one user. The other reads ask every shard. */
const READ_COMMANDS = { get: 'hget', listByLogin: 'hgetall', listHistory: 'hgetall' } as const;

let server: RedisServer;
let monitor: Redis;
let storage: RedisSessionStorage;
/** The commands that arrived over a connection, without those that scripts run. */
let arrived: string[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  // Otherwise heartbeats would occur among the commands.
  storage = new RedisSessionStorage({ url: server.url, heartbeatIntervalMs: 600_000 });
  await storage.connect();
  // The server has cached every script.
  await warmUp(storage);
  await warmUpServices(storage);
  const client = new Redis(server.url);
  monitor = await client.monitor();
  client.disconnect();
  monitor.on('monitor', (_time: string, [name = '']: string[], source: string) => {
    if (source !== 'lua') arrived.push(name.toLowerCase());
  });
});

afterAll(async () => {
  monitor.disconnect();
  await storage.close();
  await server.stop();
});

describe('RedisSessionStorage takes one round trip', () => {
  test.each(Object.entries(WRITES))('for %s: one script', async (_name, write) => {
    const session = await created(storage, 'alice');
    expect(await sentBy(() => write(storage, session))).toEqual(['evalsha']);
  });

  test.each(['end-oldest', 'end-idlest'] as const)('for create, also when it ends others with %s', async (onLimit) => {
    const limits = { perLogin: 2, perDevice: 1, onLimit } as const;
    const session = () => ({ ...creation(storage, 'limited'), device: 'web', limits });
    for (let n = 0; n < 3; n++)
      await storage.create({ ...session(), limits: { ...limits, perLogin: 9, perDevice: 9 } });
    expect(await sentBy(() => storage.create(session()))).toEqual(['evalsha']);
    expect(await storage.listByLogin('limited')).toHaveLength(1);
  });

  test('for replace, also when it touches the session', async () => {
    const { sessionId, payload } = await created(storage, 'alice');
    const change = { sessionId, expectedVersion: 1, payload, touch: true, by: 'tests' };
    expect(await sentBy(() => storage.replace(change))).toEqual(['evalsha']);
  });

  test('for touch, for several sessions of one user', async () => {
    const ids = [await created(storage, 'alice'), await created(storage, 'alice')].map(({ sessionId }) => sessionId);
    expect(await sentBy(() => storage.touch(ids))).toEqual(['evalsha']);
  });

  test.each(Object.entries(READ_COMMANDS))('for %s: %s', async (name, command) => {
    const session = await created(storage, 'alice');
    expect(await sentBy(() => READS[name as keyof typeof READ_COMMANDS](storage, session))).toEqual([command]);
  });

  describe('with a service', () => {
    beforeEach(async () => {
      await storage.services.remove({ serviceId: SERVICE.serviceId, by: 'tests' });
      await storage.services.put(SERVICE);
    });

    test.each(Object.entries(SERVICE_WRITES))('for services.%s: one script', async (_name, write) => {
      expect(await sentBy(() => write(storage))).toEqual(['evalsha']);
    });

    test('for services.recordUse: one script', async () => {
      const use = { serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId };
      expect(await sentBy(() => storage.services.recordUse(use))).toEqual(['evalsha']);
    });

    test.each(Object.entries(SERVICE_READS))('for services.%s: one read-only script', async (_name, read) => {
      await read(storage);
      expect(await sentBy(() => read(storage))).toEqual(['evalsha_ro']);
    });
  });
});

describe('RedisSessionStorage', () => {
  test('sends the source of a script once to a server that does not know it', async () => {
    const [session, other] = [await created(storage, 'alice'), await created(storage, 'alice')];
    await server.call('SCRIPT', 'FLUSH');
    expect(await sentBy(() => WRITES.end(storage, session))).toEqual(['evalsha', 'eval']);
    expect(await sentBy(() => WRITES.end(storage, other))).toEqual(['evalsha']);
  });

  test('sends no command for an id that cannot be its own', async () => {
    const session = await created(storage, 'alice');
    const sent = await sentBy(async () => {
      for (const id of ['', 'x', '0192f3a4-0000-7000-8000-000000000001', `${storage.nextSessionId('a')}0`]) {
        expect(await storage.get(id)).toBeUndefined();
        expect(await WRITES.end(storage, { ...session, sessionId: id })).toEqual({ outcome: 'missing' });
        expect(await storage.touch([id])).toEqual([undefined]);
      }
    });
    expect(sent).toEqual([]);
  });

  test('reads every shard once for operations on all users', async () => {
    expect((await sentBy(() => storage.count())).toSorted()).toEqual([
      ...Array.from({ length: 256 }, () => 'get'),
      ...Array.from({ length: 256 }, () => 'zcard'),
    ]);
    expect(await sentBy(() => storage.sweep(SWEEP))).toEqual(Array.from({ length: 256 }, () => 'zrangebyscore'));
  });

  test('never runs KEYS or SCAN', async () => {
    await storage.listLogins({ limit: 10 });
    await storage.sweep(SWEEP);
    const commands = Object.keys(await server.commandCounts());
    expect(commands.filter((name) => /^keys$|scan/.test(name))).toEqual([]);
  });
});

/** The commands that an operation sends. */
async function sentBy(operation: () => Promise<unknown>): Promise<string[]> {
  await seen('the commands before');
  arrived = [];
  await operation();
  await seen('the commands of the operation');
  return arrived.filter((name) => name !== 'echo');
}

/** Waits until the monitor has reported this command, and so every command before it. */
async function seen(mark: string): Promise<void> {
  const reported = new Promise((resolve) => {
    monitor.on('monitor', function listen(_time: string, args: string[]) {
      if (args[1] !== mark) return;
      monitor.off('monitor', listen);
      resolve(undefined);
    });
  });
  await server.call('ECHO', mark);
  await reported;
}
