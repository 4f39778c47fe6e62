import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { READS, RETENTION_MS, WRITES, created, creation } from '../support/storage/storage-calls.js';

const APPLICATION = 'round-trips';

/** The statement of each operation: a single one, whatever it finds. */
const STATEMENTS = {
  create: 'create-session',
  replace: 'replace-session',
  touch: 'touch-sessions',
  rotate: 'rotate-session',
  end: 'end-session',
  endAll: 'end-login-sessions',
  get: 'find-session',
  listByLogin: 'list-live-sessions',
  listHistory: 'list-history',
  count: 'count-sessions',
  listLogins: 'list-logins',
  put: 'put-service',
  addSecret: 'add-service-secret',
  renewHash: 'renew-secret-hash',
  endSecret: 'end-service-secret',
  remove: 'remove-service',
  find: 'find-service',
  findByKeyId: 'find-service-by-key-id',
  list: 'list-services',
} as const;

let server: PostgresServer;
let storage: PostgresSessionStorage;

beforeAll(async () => {
  server = await PostgresServer.start({ settings: { log_statement: 'all' } });
  // A heartbeat would appear among the statements, and so would the timeouts of a write that waited for a connection.
  const timing = { heartbeatIntervalMs: 600_000, deadlineMs: 30_000 };
  storage = new PostgresSessionStorage({ url: server.url, options: { application_name: APPLICATION }, ...timing });
  await storage.connect();
});

afterAll(async () => {
  await storage.close();
  await server.stop();
});

/** The statements that an operation sends, by the names of their prepared statements. */
async function sentBy(operation: () => Promise<unknown>): Promise<string[]> {
  const before = (await server.statementsOf(APPLICATION)).length;
  await operation();
  const sent = (await server.statementsOf(APPLICATION)).slice(before);
  return sent.map(({ preparedAs, text }) => preparedAs?.split(':')[1] ?? text);
}

describe('PostgresSessionStorage makes one round trip', () => {
  test.each(Object.entries({ ...WRITES, ...READS }))('for %s', async (name, operation) => {
    const session = await created(storage, 'alice');
    expect(await sentBy(async () => operation(storage, session))).toEqual([
      STATEMENTS[name as keyof typeof STATEMENTS],
    ]);
  });

  test.each(['end-oldest', 'end-idlest'] as const)('for create, also when it ends others with %s', async (onLimit) => {
    const limits = { perLogin: 3, perDevice: 1, onLimit } as const;
    const session = () => ({ ...creation(storage, 'limited'), device: 'web', limits });
    for (let n = 0; n < 3; n++) await storage.create({ ...session(), limits: { ...limits, perDevice: 9 } });
    expect(await sentBy(async () => storage.create(session()))).toEqual(['create-session']);
    expect(await storage.listByLogin('limited')).toHaveLength(1);
  });

  test('for touch, for any number of sessions', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) ids.push((await created(storage, `login-${n}`)).sessionId);
    expect(await sentBy(async () => storage.touch(ids))).toEqual(['touch-sessions']);
  });

  describe('with a service', () => {
    beforeEach(async () => {
      await storage.services.remove({ serviceId: SERVICE.serviceId, by: 'tests' });
      await storage.services.put(SERVICE);
    });

    test.each(Object.entries({ ...SERVICE_WRITES, ...SERVICE_READS }))('for services.%s', async (name, operation) => {
      expect(await sentBy(async () => operation(storage))).toEqual([STATEMENTS[name as keyof typeof STATEMENTS]]);
    });

    test('for services.recordUse', async () => {
      const use = { serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId };
      expect(await sentBy(async () => storage.services.recordUse(use))).toEqual(['record-service-use']);
    });
  });
});

/** A session that is past its end, but has no tombstone yet. */
async function due(loginId: string): Promise<string> {
  const { sessionId } = await created(storage, loginId);
  await server.query(
    'UPDATE distributed_session SET expires_at = created_at, sweep_at = created_at WHERE session_id = $1',
    [sessionId],
  );
  return sessionId;
}

describe('PostgresSessionStorage', () => {
  const sweep = { limit: 1_000, historyRetentionMs: RETENTION_MS };
  test('reads a due session a second time, after any transaction in flight that may have extended it', async () => {
    const sessionId = await due('bob');
    expect(await sentBy(async () => storage.get(sessionId))).toEqual(['find-session', 'read-session-exactly']);
    expect(await sentBy(async () => storage.listByLogin('bob'))).toEqual(['list-live-sessions', 'read-login-exactly']);
  });

  test('sweeps in batches, then purges tombstones that are past their retention', async () => {
    await storage.sweep(sweep);
    for (let n = 0; n < 3; n++) await due(`sweep-${n}`);
    const sent = await sentBy(async () => {
      expect(await storage.sweep(sweep)).toBe(3);
    });
    expect(sent).toEqual(['sweep-sessions', 'purge-tombstones']);
  });

  test("publishes several simultaneous writes at once, on the feed's connection", async () => {
    const feed = `${APPLICATION} (change feed)`;
    const received: string[] = [];
    const stop = storage.changes(({ type }) => received.push(type));
    const before = (await server.statementsOf(feed)).length;
    await Promise.all(Array.from({ length: 50 }, async (_, n) => created(storage, `many-${n}`)));
    await eventually(async () => received.length >= 50);
    stop();
    const sent = (await server.statementsOf(feed)).slice(before);
    expect(new Set(sent.map(({ preparedAs }) => preparedAs?.split(':')[1]))).toEqual(new Set(['read-changes']));
    expect(sent.length).toBeLessThan(50);
    expect(received).toEqual(Array.from({ length: 50 }, () => 'session.created'));
  });

  test('sends nothing for a text that is not a session id', async () => {
    const id = storage.nextSessionId();
    const sent = await sentBy(async () => {
      for (const malformed of ['', 'x', id.toUpperCase(), `{${id}}`, `${id}0`, "' OR true --"]) {
        expect(await storage.get(malformed)).toBeUndefined();
        expect(await storage.touch([malformed])).toEqual([undefined]);
        expect(await WRITES.end(storage, { ...(await created(storage, 'alice')), sessionId: malformed })).toEqual({
          outcome: 'missing',
        });
      }
    });
    expect(new Set(sent)).toEqual(new Set(['create-session']));
  });
});
