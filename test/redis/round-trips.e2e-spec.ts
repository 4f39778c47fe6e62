import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { CreateSession } from 'nestjs-distributed-session/storage';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: 60_000 } as const;
const payload = Buffer.from('payload');
const service = { serviceId: 'orders', by: 'tester' } as const;
const hash = { algorithm: 'hmac-sha256', digest: 'digest' } as const;

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

/** Returns the commands that an operation sends, and its result. */
async function sentBy<T>(operation: () => Promise<T>): Promise<{ sent: string[]; result: T }> {
  await seen('the commands before');
  arrived = [];
  const result = await operation();
  await seen('the commands of the operation');
  return { sent: arrived.filter((name) => name !== 'echo'), result };
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

function creation(loginId: string, given: Partial<CreateSession> = {}): CreateSession {
  const limits = { perLogin: 100, onLimit: 'end-oldest' } as const;
  const sessionId = storage.nextSessionId(loginId);
  return {
    sessionId,
    loginId,
    idleTimeoutMs: 60_000,
    payload,
    limits,
    by: 'tester',
    historyRetentionMs: 60_000,
    ...given,
  };
}

async function created(loginId = 'alice'): Promise<string> {
  const session = creation(loginId);
  await storage.create(session);
  return session.sessionId;
}

type Operation = (on: SessionStorage) => Promise<() => Promise<unknown>>;

const WRITES: readonly (readonly [what: string, operation: Operation])[] = [
  ['create', async (on) => async () => on.create(creation('alice', { device: 'web' }))],
  [
    'create that ends the oldest, by login and by device',
    async (on) => {
      for (let n = 0; n < 3; n++) await on.create(creation('limited', { device: 'web' }));
      const limits = { perLogin: 2, perDevice: 1, onLimit: 'end-oldest' } as const;
      return async () => on.create(creation('limited', { device: 'web', limits }));
    },
  ],
  [
    'replace',
    async (on) => {
      const sessionId = await created();
      return async () => on.replace({ sessionId, expectedVersion: 1, payload, by: 'tester', touch: true });
    },
  ],
  [
    'touch of several sessions of one login',
    async (on) => {
      const ids = [await created(), await created()];
      return async () => on.touch(ids);
    },
  ],
  [
    'rotate',
    async (on) => {
      const sessionId = await created();
      const successor = { sessionId: on.nextSessionId('alice'), payload };
      return async () => on.rotate({ ...ending, sessionId, expectedVersion: 1, successor, graceMs: 0 });
    },
  ],
  [
    'end',
    async (on) => {
      const sessionId = await created();
      return async () => on.end({ ...ending, sessionId });
    },
  ],
  ['endAll', async (on) => async () => on.endAll({ ...ending, loginId: 'alice' })],
  [
    'services.put',
    async (on) => async () =>
      on.services.put({
        ...service,
        secret: { keyId: 'key', hash },
        permissions: ['*'],
        serviceName: 'Orders',
        replace: true,
      }),
  ],
  [
    'services.addSecret',
    async (on) => async () =>
      on.services.addSecret({ ...service, secret: { keyId: 'key2', hash }, expectedVersion: 1, overlapMs: 0 }),
  ],
  ['services.endSecret', async (on) => async () => on.services.endSecret({ ...service, keyId: 'key' })],
  ['services.recordUse', async (on) => async () => on.services.recordUse({ serviceId: 'orders', keyId: 'key' })],
  ['services.remove', async (on) => async () => on.services.remove({ serviceId: 'orders', by: 'tester' })],
];

const READS: readonly (readonly [what: string, command: string, operation: Operation])[] = [
  [
    'get',
    'hget',
    async (on) => {
      const sessionId = await created();
      return async () => on.get(sessionId);
    },
  ],
  ['services.find', 'evalsha_ro', async (on) => async () => on.services.find('orders')],
  ['services.findByKeyId', 'evalsha_ro', async (on) => async () => on.services.findByKeyId('key')],
  ['services.list', 'evalsha_ro', async (on) => async () => on.services.list()],
  ['listByLogin', 'hgetall', async (on) => async () => on.listByLogin('alice')],
  ['listHistory', 'hgetall', async (on) => async () => on.listHistory('alice')],
];

describe('RedisSessionStorage', () => {
  test.each(WRITES)('takes one round trip, one script, for %s', async (_what, prepare) => {
    const operation = await prepare(storage);
    await operation();
    const again = await prepare(storage);
    expect((await sentBy(again)).sent).toEqual(['evalsha']);
  });

  test.each(READS)('takes one round trip for %s: %s', async (_what, command, prepare) => {
    await (
      await prepare(storage)
    )();
    expect((await sentBy(await prepare(storage))).sent).toEqual([command]);
  });

  test('sends the source of a script once to a server that does not know it', async () => {
    const sessionId = await created();
    await server.call('SCRIPT', 'FLUSH');
    const { sent } = await sentBy(async () => storage.end({ ...ending, sessionId }));
    expect(sent).toEqual(['evalsha', 'eval']);
    const other = await created();
    expect((await sentBy(async () => storage.end({ ...ending, sessionId: other }))).sent).toEqual(['evalsha']);
  });

  test('sends no command for an id that cannot be its own', async () => {
    const sent = await sentBy(async () => {
      for (const id of ['', 'x', '0192f3a4-0000-7000-8000-000000000001', `${storage.nextSessionId('a')}0`]) {
        expect(await storage.get(id)).toBeUndefined();
        expect(await storage.end({ ...ending, sessionId: id })).toEqual({ outcome: 'missing' });
        expect(await storage.touch([id])).toEqual([undefined]);
      }
    });
    expect(sent.sent).toEqual([]);
  });

  test('reads every shard once for operations on all users', async () => {
    expect((await sentBy(async () => storage.count())).sent.toSorted()).toEqual([
      ...Array.from({ length: 256 }, () => 'get'),
      ...Array.from({ length: 256 }, () => 'zcard'),
    ]);
    const sweep = { limit: 10, historyRetentionMs: 1_000 };
    expect((await sentBy(async () => storage.sweep(sweep))).sent).toEqual(
      Array.from({ length: 256 }, () => 'zrangebyscore'),
    );
  });

  test('never runs KEYS or SCAN', async () => {
    await storage.listLogins({ limit: 10 });
    await storage.sweep({ limit: 10, historyRetentionMs: 1_000 });
    const commands = Object.keys(await server.commandCounts());
    expect(commands.filter((name) => /keys|scan/.test(name))).toEqual([]);
  });
});
