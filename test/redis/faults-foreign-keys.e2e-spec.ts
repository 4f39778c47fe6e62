import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';
import { keysOf } from '../support/redis/stored-record.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';

const context = useRedisPair();
let ada: SessionRecord;
let ben: SessionRecord;

beforeEach(async () => {
  ada = await created(context.pair.storage, 'ada');
  ben = await created(context.pair.storage, 'ben');
});

/** Overwrites one of the keys, as another program with the same keys would. */
async function overwrite(role: keyof ReturnType<typeof keysOf>, command: string, ...args: string[]): Promise<void> {
  const { server, pair } = context;
  const key = keysOf(pair.keyPrefix, ada.sessionId)[role];
  await server.call('DEL', key);
  await server.call(command, key, ...args);
}

const SOLUTION = expect.stringContaining('another keyPrefix');
const CORRUPT = ['ERR_STORAGE_CORRUPT', SOLUTION];

describe('RedisSessionStorage, after another program has overwritten one of its keys', () => {
  test('reports a user’s unreadable hash with a solution, and serves other users', async () => {
    const { pair } = context;
    await overwrite('login', 'SET', 'not a hash');
    for (const call of [...Object.values(WRITES), READS.get, READS.listByLogin, READS.listHistory]) {
      expect(await settle(() => call(pair.storage, ada))).toMatchObject({
        outcome: 'ERR_STORAGE_CORRUPT',
        message: SOLUTION,
      });
    }
    expect(await pair.storage.get(ben.sessionId)).toMatchObject({ state: 'live' });
    await created(pair.storage, 'ben');
    expect(await pair.storage.listByLogin('ben')).toHaveLength(2);
    expect(await WRITES.endAll(pair.storage, ben)).toHaveLength(2);
  });

  test.each([
    ['counter', 'LPUSH', 'not a number'],
    ['counter', 'SET', 'not a number'],
    ['sequence', 'LPUSH', 'not a number'],
    ['sequence', 'SET', 'not a number'],
    ['expiries', 'SET', 'not a sorted set'],
    ['online', 'SET', 'not a sorted set'],
  ] as const)('reports a broken %s (%s) to writers with a solution, and serves reads', async (role, command, value) => {
    const { pair } = context;
    await overwrite(role, command, value);
    for (const call of [WRITES.create, WRITES.replace, WRITES.rotate, WRITES.end]) {
      const { outcome, message } = await settle(() => call(pair.storage, ada));
      // Never "not applied": the script may have written before it read the key.
      const failed = outcome.startsWith('ERR_');
      expect(failed ? [outcome, message] : [...CORRUPT]).toEqual([...CORRUPT]);
    }
    expect((await settle(() => pair.storage.get(ada.sessionId))).outcome).toBe('read');
    expect((await settle(() => pair.storage.listByLogin('ada'))).outcome).toBe('read');
    await created(pair.storage, 'ben');
    expect(await WRITES.endAll(pair.storage, ben)).toHaveLength(2);
  });

  test('sweeps all other users if one user cannot be read', async () => {
    const { server, pair } = context;
    const brief = {
      idleTimeoutMs: 1,
      limits: { perLogin: 9, onLimit: 'reject' as const },
      payload: new Uint8Array(),
      by: 'tests',
      historyRetentionMs: RETENTION_MS,
    };
    const due: string[] = [];
    for (let n = 0; n < 20; n++) {
      const [loginId, sessionId] = [`due-${n}`, pair.storage.nextSessionId(`due-${n}`)];
      await pair.storage.create({ ...brief, loginId, sessionId });
      due.push(sessionId);
    }
    const [broken, ...others] = due;
    const { login } = keysOf(pair.keyPrefix, broken!);
    await server.call('SET', login, 'not a hash');
    await settle(() => pair.storage.sweep({ limit: 100, historyRetentionMs: RETENTION_MS }));
    await settle(() => pair.storage.sweep({ limit: 100, historyRetentionMs: RETENTION_MS }));
    const stored = await server.use(async (redis) =>
      Promise.all(
        others.map(async (id) =>
          (await redis.hgetBuffer(keysOf(pair.keyPrefix, id).login, id))!.toString('latin1', 1, 2),
        ),
      ),
    );
    expect(new Set(stored)).toEqual(new Set(['E']));
    expect((await settle(() => pair.storage.listLogins({ limit: 100 }))).outcome).toBe('read');
  });
});

describe('RedisSessionStorage with a damaged service record', () => {
  test.each([
    ['empty', (value: Buffer) => value.subarray(0, 0)],
    ['truncated', (value: Buffer) => value.subarray(0, 20)],
    ['of an unknown format', (value: Buffer) => value.fill(0, 0, 1)],
  ])('reports a record that is %s with a solution, and serves other services', async (_name, damage) => {
    const { server, pair } = context;
    const { services } = pair.storage;
    await services.put(service('orders'));
    await services.put(service('billing'));
    const key = `{${pair.keyPrefix}}:svc`;
    const value = (await server.use((redis) => redis.hgetBuffer(key, 'orders')))!;
    await server.call('HSET', key, 'orders', damage(value));
    const calls = [
      () => services.find('orders'),
      () => services.findByKeyId('key-orders'),
      () => services.put(service('orders', true)),
      () => services.addSecret({ ...service('orders'), expectedVersion: 1, overlapMs: 0 }),
      () => services.endSecret({ serviceId: 'orders', keyId: 'key-orders', by: 'tests' }),
    ];
    for (const call of calls) {
      expect(await settle(call)).toMatchObject({
        outcome: 'ERR_STORAGE_CORRUPT',
        message: expect.stringContaining(`HDEL ${key}`),
      });
    }
    expect(await settle(() => services.recordUse({ serviceId: 'orders', keyId: 'key-orders' }))).toMatchObject({
      outcome: expect.stringMatching(/^(read|ERR_STORAGE_CORRUPT)$/u),
    });
    expect(await services.findByKeyId('key-billing')).toMatchObject({ serviceId: 'billing' });
    expect(await services.list()).toMatchObject([
      { serviceId: 'billing', version: 1 },
      { serviceId: 'orders', unreadable: 'corrupt' },
    ]);
    expect(await services.put(service('billing', true))).toMatchObject({ outcome: 'stored' });
    expect(await services.remove({ serviceId: 'orders', by: 'tests' })).toBe(true);
    expect(await services.list()).toMatchObject([{ serviceId: 'billing' }]);
  });

  test('of a later release is marked in the list, and can be removed', async () => {
    const { server, pair } = context;
    const { services } = pair.storage;
    for (const id of ['orders', 'billing']) await services.put(service(id));
    const key = `{${pair.keyPrefix}}:svc`;
    const value = (await server.use((redis) => redis.hgetBuffer(key, 'orders')))!;
    await server.call('HSET', key, 'orders', value.fill(value[0]! + 1, 0, 1));
    expect(await settle(() => services.find('orders'))).toMatchObject({ outcome: 'ERR_STORAGE_NEWER_FORMAT' });
    expect(await services.list()).toMatchObject([
      { serviceId: 'billing', version: 1 },
      { serviceId: 'orders', unreadable: 'newer-format' },
    ]);
    expect(await services.remove({ serviceId: 'orders', by: 'tests' })).toBe(true);
  });
});

function service(serviceId: string, replace = false) {
  return {
    serviceId,
    serviceName: serviceId,
    permissions: [],
    secret: { keyId: `key-${serviceId}`, hash: { algorithm: 'hmac-sha256' as const, digest: 'digest' } },
    replace,
    by: 'tests',
  };
}
