import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { openPostgresPair, type PostgresStoragePair } from '../support/postgres/postgres-storage-pair.js';
import { APPLIED_ONCE } from '../support/storage/applied-once.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, READS, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';

/** The statement that each operation sends, where that is not named like it. */
const STATEMENTS = {
  create: 'create-session',
  replace: 'replace-session',
  touch: 'touch-sessions',
  rotate: 'rotate-session',
  end: 'end-session',
  endAll: 'end-login-sessions',
  put: 'put-service',
  addSecret: 'add-service-secret',
  endSecret: 'end-service-secret',
  recordUse: 'record-service-use',
  remove: 'remove-service',
} as const;

/** The services that there are after a write was applied exactly once. */
const SERVICE_APPLIED_ONCE: Record<keyof typeof SERVICE_WRITES, readonly object[]> = {
  put: [{ version: 2, secrets: [{ keyId: 'second' }] }],
  addSecret: [{ version: 2, secrets: [{ keyId: 'second' }] }],
  endSecret: [{ version: 2, secrets: [] }],
  remove: [],
};

let server: PostgresServer;
let pair: PostgresStoragePair;
let session: SessionRecord;
let changes: StorageChange[];

beforeAll(async () => {
  server = await PostgresServer.start({ settings: { log_statement: 'all' } });
  // Heartbeats are rare: the reply that is lost must be that of the call.
  pair = await openPostgresPair(server, { heartbeatIntervalMs: 60_000 });
});

afterAll(async () => {
  await pair.close();
  await server.stop();
});

let users = 0;
let unsubscribe = () => {};

beforeEach(async () => {
  await pair.waitUntilConnected();
  session = await created(pair.witness, `user-${(users += 1)}`);
  await pair.witness.services.put({ ...SERVICE, replace: true });
  await pair.witness.services.remove({ serviceId: SERVICE.serviceId, by: 'tests' });
  await pair.witness.services.put(SERVICE);
  changes = [];
  unsubscribe = pair.witness.changes((change) => changes.push(change));
});

afterEach(() => {
  pair.proxy.healthy();
  unsubscribe();
});

/** Loses the reply to a call, and resolves to how it ended, and how often it was sent, also after the storage is back. */
async function loseReplyOf(
  operation: keyof typeof STATEMENTS,
  call: (storage: SessionStorage) => Promise<unknown>,
): Promise<{ outcome: string; sent: number }> {
  const statement = `:${STATEMENTS[operation]}:`;
  const countSent = async () =>
    (await server.statementsOf('proxied')).filter(({ preparedAs }) => preparedAs?.includes(statement)).length;
  const [before, dropped] = [await countSent(), pair.proxy.repliesDropped];
  pair.proxy.dropNextReply(statement);
  const { outcome, ms } = await settle(() => call(pair.storage));
  expect(pair.proxy.repliesDropped).toBe(dropped + 1);
  expect(ms).toBeLessThan(1_500);
  // The storage is back, so whatever it would send again it has sent.
  await pair.waitUntilConnected();
  return { outcome, sent: (await countSent()) - before };
}

const UNKNOWN_AND_SENT_ONCE = { outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN', sent: 1 };

describe('a write whose reply is lost', () => {
  test.each(Object.keys(WRITES) as (keyof typeof WRITES)[])(
    '%s: its outcome is unknown, it was applied, and never twice',
    async (operation) => {
      const told = await loseReplyOf(operation, (storage) => WRITES[operation](storage, session));
      expect(told).toEqual(UNKNOWN_AND_SENT_ONCE);
      await APPLIED_ONCE[operation](pair.witness, session);
      await created(pair.witness, 'last');
      await eventually(() => changes.some((change) => 'loginId' in change && change.loginId === 'last'));
      expect(changes).toHaveLength(operation === 'touch' ? 1 : 2);
    },
  );

  test.each(Object.keys(SERVICE_WRITES) as (keyof typeof SERVICE_WRITES)[])(
    'services.%s: its outcome is unknown, it was applied, and never twice',
    async (operation) => {
      expect(await loseReplyOf(operation, SERVICE_WRITES[operation])).toEqual(UNKNOWN_AND_SENT_ONCE);
      expect(await pair.witness.services.list()).toMatchObject(SERVICE_APPLIED_ONCE[operation]);
    },
  );

  test('services.recordUse: its outcome is unknown, and the use is noted', async () => {
    const use = { serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId };
    const { outcome } = await loseReplyOf('recordUse', (storage) => storage.services.recordUse(use));
    expect(outcome).toBe('ERR_STORAGE_OUTCOME_UNKNOWN');
    const found = await pair.witness.services.find(SERVICE.serviceId);
    expect(found?.secrets).toMatchObject([{ lastUsedAt: expect.any(Number) }]);
  });

  test('answers a repeated create that its own id is taken', async () => {
    const wanted = creation(pair.storage, session.loginId);
    expect(await loseReplyOf('create', (storage) => storage.create(wanted))).toEqual(UNKNOWN_AND_SENT_ONCE);
    expect(await pair.storage.create(wanted)).toEqual({ outcome: 'id-taken' });
    expect(await pair.storage.get(wanted.sessionId)).toMatchObject({ state: 'live', version: 1 });
  });

  test('sweep: what it has claimed is claimed once, and found as ended', async () => {
    const sweep = { limit: 10, historyRetentionMs: RETENTION_MS };
    const brief = { ...creation(pair.witness, session.loginId), idleTimeoutMs: 1 };
    await pair.witness.create(brief);
    await eventually(async () => (await pair.witness.get(brief.sessionId))?.state === 'ended');
    pair.proxy.dropNextReply(':sweep-sessions:');
    expect(await settle(() => pair.storage.sweep(sweep))).toMatchObject({ outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN' });
    expect(await pair.witness.sweep(sweep)).toBe(0);
    await eventually(() => changes.length > 1);
    expect(changes.slice(1)).toMatchObject([{ type: 'session.ended', sessionId: brief.sessionId, by: '@expiry' }]);
    expect(await pair.witness.listHistory(session.loginId)).toHaveLength(1);
  });

  test('of several in flight: each is told the same', async () => {
    const createSome = () => Array.from({ length: 5 }, () => settle(() => WRITES.create(pair.storage, session)));
    // So many connections are open then.
    await Promise.all(createSome());
    const count = async () => (await pair.witness.listByLogin(session.loginId)).length;
    const before = await count();
    pair.proxy.blackHole('down');
    const calls = createSome();
    await eventually(async () => (await count()) >= before + 5);
    pair.proxy.cut();
    pair.proxy.healthy();
    const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(['ERR_STORAGE_OUTCOME_UNKNOWN']));
    expect(await count()).toBe(before + 5);
  });
});

describe('a read whose reply is lost', () => {
  const reads: Record<string, (storage: SessionStorage) => Promise<unknown>> = {
    ...Object.fromEntries(
      Object.entries(READS).map(([name, read]) => [name, async (storage) => read(storage, session)]),
    ),
    ...Object.fromEntries(Object.entries(SERVICE_READS).map(([name, read]) => [`services.${name}`, read])),
  };

  test.each(Object.keys(reads))('%s: the storage is unavailable, and works again at once', async (name) => {
    const read = () => reads[name]!(pair.storage);
    pair.proxy.blackHole('down');
    const call = settle(read);
    await eventually(() => pair.proxy.heldBytes > 0);
    pair.proxy.cut();
    pair.proxy.healthy();
    expect(await call).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
    const startedAt = performance.now();
    await eventually(async () => (await settle(read)).outcome === 'read');
    expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
  });
});
