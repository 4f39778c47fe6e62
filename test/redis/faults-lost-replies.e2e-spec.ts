import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { APPLIED_ONCE } from '../support/storage/applied-once.js';
import { settle } from '../support/storage/settled-call.js';
import { creation, created, READS, RETENTION_MS, WRITES, warmUp } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';

let server: RedisServer;
let pair: RedisStoragePair;
let session: SessionRecord;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server.stop();
});

/** Heartbeats are rare: the reply that is lost must be that of the call. */
beforeEach(async () => {
  pair = await openRedisPair(server, { heartbeatIntervalMs: 60_000 });
  session = await created(pair.witness, 'ada');
  await warmUp(pair.witness);
});

afterEach(async () => {
  await pair.close();
});

describe('a write whose reply is lost', () => {
  test.each(Object.keys(WRITES) as (keyof typeof WRITES)[])(
    '%s: its outcome is unknown, it was applied, and never twice',
    async (operation) => {
      const changes: StorageChange[] = [];
      pair.witness.changes((change) => changes.push(change));
      const before = await server.commandCounts();
      pair.proxy.dropNextReply('evalsha');
      const { outcome, ms } = await settle(() => WRITES[operation](pair.storage, session));
      expect([outcome, pair.proxy.repliesDropped]).toEqual(['ERR_STORAGE_OUTCOME_UNKNOWN', 1]);
      expect(ms).toBeLessThan(1_500);
      // The client is back, so whatever it would send again it has sent.
      await eventually(async () => (await settle(() => pair.storage.get(session.sessionId))).outcome === 'read');
      await APPLIED_ONCE[operation](pair.witness, session);
      const after = await server.commandCounts();
      expect([after['evalsha']! - before['evalsha']!, after['eval']]).toEqual([1, before['eval']]);
      expect(changes.length).toBe(operation === 'touch' ? 0 : 1);
    },
  );

  test('answers a repeated create that its own id is taken', async () => {
    const wanted = creation(pair.storage, 'ada');
    pair.proxy.dropNextReply('evalsha');
    await expect(pair.storage.create(wanted)).rejects.toMatchObject({ code: 'ERR_STORAGE_OUTCOME_UNKNOWN' });
    await eventually(async () => (await settle(() => pair.storage.count())).outcome === 'read');
    expect(await pair.storage.create(wanted)).toEqual({ outcome: 'id-taken' });
    expect(await pair.storage.get(wanted.sessionId)).toMatchObject({ state: 'live', version: 1 });
  });

  test('sweep: what it has claimed is claimed once, and found as ended', async () => {
    const sweep = { limit: 10, historyRetentionMs: RETENTION_MS };
    const brief = { ...creation(pair.witness, 'ben'), idleTimeoutMs: 1 };
    await pair.witness.create(brief);
    const changes: StorageChange[] = [];
    pair.witness.changes((change) => changes.push(change));
    await eventually(async () => (await pair.witness.get(brief.sessionId))?.state === 'ended');
    await server.call('SCRIPT', 'FLUSH');
    // Not the answer that the script is unknown, but the one to the script itself.
    pair.proxy.dropNextReply('eval\r\n');
    expect(await settle(() => pair.storage.sweep(sweep))).toMatchObject({ outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN' });
    expect(await pair.witness.sweep(sweep)).toBe(0);
    await eventually(() => changes.length > 0);
    expect(changes).toMatchObject([{ type: 'session.ended', sessionId: brief.sessionId, by: '@expiry' }]);
    expect(await pair.witness.listHistory('ben')).toHaveLength(1);
  });

  test('of several in flight on the connection: each is told the same', async () => {
    pair.proxy.blackHole('down');
    const calls = Array.from({ length: 20 }, () => settle(() => WRITES.create(pair.storage, session)));
    await eventually(async () => (await pair.witness.count()).sessions >= 20);
    pair.proxy.cut();
    pair.proxy.healthy();
    const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(['ERR_STORAGE_OUTCOME_UNKNOWN']));
    expect(await pair.witness.listByLogin('ada')).toHaveLength(21);
  });
});

describe('a read whose reply is lost', () => {
  test.each(Object.keys(READS) as (keyof typeof READS)[])(
    '%s: the storage is unavailable, and works again at once',
    async (operation) => {
      pair.proxy.blackHole('down');
      const call = settle(() => READS[operation](pair.storage, session));
      await eventually(() => pair.proxy.heldBytes > 0);
      pair.proxy.cut();
      pair.proxy.healthy();
      expect(await call).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
      const startedAt = performance.now();
      await eventually(async () => (await settle(() => READS[operation](pair.storage, session))).outcome === 'read');
      expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
    },
  );
});
