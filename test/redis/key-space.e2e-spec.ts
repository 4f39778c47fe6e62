import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { HISTORY_LIMIT } from 'nestjs-distributed-session/storage';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { runClients } from '@distributed-session/session-history/run-clients.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

const RETENTION_MS = 3_600_000;
/** The maximum time to live of a hash: its history and a day for the sweep. */
const LONGEST_TTL_S = 3 * 86_400;
const ending = { reason: 'revoked', by: 'tester', historyRetentionMs: RETENTION_MS } as const;

let server: RedisServer;
let storage: RedisSessionStorage;

beforeAll(async () => {
  server = await RedisServer.start();
});

beforeEach(async () => {
  await server.call('FLUSHALL');
  storage = new RedisSessionStorage({ url: server.url });
  await storage.connect();
});

afterEach(() => storage.close());

afterAll(() => server.stop());

async function create(loginId: string, idleTimeoutMs = 60_000): Promise<string> {
  const sessionId = storage.nextSessionId(loginId);
  const limits = { perLogin: 100, onLimit: 'end-oldest' } as const;
  const creation = { sessionId, loginId, idleTimeoutMs, payload: Buffer.from('payload'), limits, by: 'tester' };
  await storage.create({ ...creation, historyRetentionMs: RETENTION_MS });
  return sessionId;
}

/** The keys by role, each with its time to live in seconds; `-1` for none. */
async function keysByRole(): Promise<Map<string, { key: string; ttl: number }[]>> {
  const roles = new Map<string, { key: string; ttl: number }[]>();
  for (const { key, ttl } of await server.describeKeys()) {
    const role = /^\{ds(?::[0-9a-f]{2})?\}:(\w+)/.exec(key)?.[1] ?? key;
    roles.set(role, [...(roles.get(role) ?? []), { key, ttl }]);
  }
  return roles;
}

describe('The keys of RedisSessionStorage', () => {
  test('all have a time to live after all sessions have ended and been swept', async () => {
    const logins = Array.from({ length: 40 }, (_, n) => `login-${n}`);
    for (const loginId of logins) for (let n = 0; n < 3; n++) await create(loginId);
    const short = await create('short', 100);
    await Promise.all(logins.slice(0, 20).map(async (loginId) => storage.endAll({ ...ending, loginId })));
    for (const loginId of logins.slice(20)) {
      for (const { sessionId } of await storage.listByLogin(loginId)) await storage.end({ ...ending, sessionId });
    }
    await eventually(async () => (await storage.get(short))?.state === 'ended');
    expect(await storage.sweep({ limit: 1_000, historyRetentionMs: RETENTION_MS })).toBe(1);
    const roles = await keysByRole();
    expect(roles.get('meta')).toEqual([{ key: '{ds}:meta', ttl: -1 }]);
    roles.delete('meta');
    // The heartbeat key exists only for a part of the time.
    expect([...roles.keys()].filter((role) => role !== 'b').toSorted()).toEqual(['s', 'u']);
    for (const { ttl } of [...roles.values()].flat()) expect(ttl).toBeGreaterThanOrEqual(0);
    for (const { ttl } of roles.get('u')!) expect(ttl).toBeLessThanOrEqual(LONGEST_TTL_S);
    expect(await storage.count()).toEqual({ sessions: 0, logins: 0 });
  });

  test('of a user disappear with the history', async () => {
    const sessionId = await create('alice');
    await storage.end({ ...ending, sessionId, historyRetentionMs: 50 });
    await eventually(async () => !(await keysByRole()).has('u'));
    expect(await storage.get(sessionId)).toBeUndefined();
  });

  test('each have a time to live or a bound after a random run, and agree with each other', async () => {
    await runClients({ count: 8, durationMs: 2_000, leastCalls: 1_000, seed: 4, storage });
    const roles = await keysByRole();
    for (const role of ['u', 's', 'b']) {
      for (const { key, ttl } of roles.get(role) ?? []) expect([key, ttl >= 0]).toEqual([key, true]);
      roles.delete(role);
    }
    // `e` and `o` have one entry per online user, and `n` is a number.
    expect([...roles.keys()].filter((role) => !['e', 'o', 'n', 'meta'].includes(role))).toEqual([]);
    const { sessions, logins } = await storage.count();
    const listed = await storage.listLogins({ limit: 1_000 });
    const entries = await server.use(async (redis) => {
      const sizes = await Promise.all((roles.get('e') ?? []).map(async ({ key }) => redis.zcard(key)));
      return sizes.reduce((sum, size) => sum + size, 0);
    });
    expect(entries).toBe(logins);
    await storage.sweep({ limit: 1_000, historyRetentionMs: RETENTION_MS });
    const after = await storage.listLogins({ limit: 1_000 });
    expect(after.logins.length).toBeLessThanOrEqual(listed.logins.length);
    expect(sessions).toBeGreaterThanOrEqual(after.logins.reduce((sum, login) => sum + login.sessions, 0));
    for (const { key } of (await keysByRole()).get('u') ?? []) {
      const values = await server.use(async (redis) => redis.hvalsBuffer(key));
      expect(values.filter((value) => value[1] === 'E'.charCodeAt(0)).length).toBeLessThanOrEqual(HISTORY_LIMIT);
    }
  });

  test('are corrected after a hash has disappeared unswept, as after days without a process', async () => {
    await create('bob');
    await create('alice', 300);
    const sessionId = await create('alice', 300);
    const [lost] = (await server.describeKeys('*:u:*')).filter(({ key }) =>
      key.endsWith(sessionId.slice(0, 8) + sessionId.slice(9, 13) + sessionId.slice(15, 18)),
    );
    await server.call('DEL', lost!.key);
    expect(await storage.count()).toEqual({ sessions: 3, logins: 2 });
    await eventually(async () => {
      await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
      return (await storage.count()).sessions === 1;
    });
    expect(await storage.count()).toEqual({ sessions: 1, logins: 1 });
    await create('alice');
    expect(await storage.count()).toEqual({ sessions: 2, logins: 2 });
  });
});
