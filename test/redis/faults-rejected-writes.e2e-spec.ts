import { mkdir, rm } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, READS, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';
import type { RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { useOwnRedisPair } from '../support/redis/use-redis-pair.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

const start = useOwnRedisPair({ heartbeatIntervalMs: 200 });
let server: RedisServer;
let pair: RedisStoragePair;
let session: SessionRecord;

beforeEach(async () => {
  ({ server, pair } = await start());
  session = await created(pair.storage, 'ada');
});

describe('RedisSessionStorage on a server whose memory is full', () => {
  test('rejects new and changed sessions, reads, ends and sweeps sessions, and recovers', async () => {
    const [gone, brief] = [
      await created(pair.storage, 'gone'),
      { ...creation(pair.storage, 'brief'), idleTimeoutMs: 50 },
    ];
    await pair.storage.create(brief);
    await created(pair.storage, 'all');
    await server.call('CONFIG', 'SET', 'maxmemory', 1);
    await expectRejected(['create', 'replace', 'touch', 'rotate'], /maxmemory/u);
    await expectReadsServed();
    expect(await WRITES.end(pair.storage, gone)).toMatchObject({ outcome: 'ended' });
    expect(await WRITES.endAll(pair.storage, { ...gone, loginId: 'all' })).toHaveLength(1);
    await eventually(async () => (await pair.storage.get(brief.sessionId))?.state === 'ended');
    expect(await pair.storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS })).toBe(1);
    expect(await pair.storage.count()).toEqual({ sessions: 1, logins: 1 });
    await server.call('CONFIG', 'SET', 'maxmemory', 0);
    await expectWritable();
  });

  test('keeps the change feed alive and delivers ended sessions', async () => {
    const gone = await created(pair.storage, 'gone');
    const received: string[] = [];
    pair.storage.changes(({ type }) => received.push(type));
    await server.call('CONFIG', 'SET', 'maxmemory', 1);
    const [subscribers, beats] = [await subscriberIds(), await publishCount()];
    await eventually(async () => (await publishCount()) >= beats + 10);
    expect(await subscriberIds()).toEqual(subscribers);
    await WRITES.end(pair.storage, gone);
    await eventually(() => received.length > 0);
    expect(received).toEqual(['session.ended']);
  });
});

describe('RedisSessionStorage on a server that accepts no writes', () => {
  test('serves reads and recovers when replicas are missing', async () => {
    const received: string[] = [];
    pair.storage.changes(({ type }) => received.push(type));
    await server.call('CONFIG', 'SET', 'min-replicas-to-write', 1);
    await eventually(() => pair.storage.feedLagMs() > 1_500);
    await expectRejected(Object.keys(WRITES) as (keyof typeof WRITES)[], /min-replicas-to-write/u);
    await expectReadsServed();
    await server.call('CONFIG', 'SET', 'min-replicas-to-write', 0);
    // A feed without heartbeats has not necessarily lost a change.
    await eventually(() => pair.storage.feedLagMs() < 1_000);
    expect(received).toEqual([]);
    await expectWritable();
  });

  test('serves reads and recovers when the server cannot save to its disk', async () => {
    await server.call('CONFIG', 'SET', 'save', '3600 1000000');
    // A folder takes the place of the file.
    const folder = `${server.folder}/dump.rdb`;
    await mkdir(`${folder}/that-is-not-empty`, { recursive: true });
    await server.call('BGSAVE');
    await eventually(async () => (await server.info('persistence', 'rdb_last_bgsave_status')) === 'err');
    await expectRejected(Object.keys(WRITES) as (keyof typeof WRITES)[], /cannot save its data to disk/u);
    await expectReadsServed();
    await rm(folder, { recursive: true });
    await server.call('BGSAVE');
    await eventually(async () => (await server.info('persistence', 'rdb_last_bgsave_status')) === 'ok');
    await expectWritable();
    expect(await pair.storage.get(session.sessionId)).toEqual(session);
  });

  test('recovers when its server becomes a replica without a disconnect, and a master again', async () => {
    const master = await RedisServer.start();
    await server.call('REPLICAOF', master.host, master.port);
    await eventually(
      async () => (await settle(() => WRITES.create(pair.storage, session))).outcome === 'ERR_STORAGE_UNAVAILABLE',
    );
    await server.call('REPLICAOF', 'NO', 'ONE');
    await master.stop();
    const startedAt = performance.now();
    await eventually(async () => (await settle(() => created(pair.storage, 'afterwards'))).outcome === 'read');
    expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
  });
});

/** The number of messages that were published, heartbeats included. */
async function publishCount(): Promise<number> {
  return (await server.commandCounts())['publish'] ?? 0;
}

/** The connections of the change feeds. */
async function subscriberIds(): Promise<(string | undefined)[]> {
  const list = String(await server.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return Array.from(list.matchAll(/^id=(\d+)/gmu), ([, id]) => id);
}

async function expectReadsServed(): Promise<void> {
  for (const read of Object.values(READS))
    expect((await settle(() => read(pair.storage, session))).outcome).toBe('read');
  expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'live', version: 1 });
}

/** Expects that each of the writes is reported as not applied, with a solution, and that nothing was written. */
async function expectRejected(writes: (keyof typeof WRITES)[], message: RegExp): Promise<void> {
  for (const name of writes) {
    const settled = await settle(() => WRITES[name](pair.storage, session));
    expect([name, settled]).toMatchObject([
      name,
      { outcome: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringMatching(message) },
    ]);
  }
  expect(await pair.storage.listByLogin('ada')).toEqual([session]);
  expect(await pair.storage.ping()).toEqual({ writable: false, notes: [expect.stringMatching(message)] });
}

async function expectWritable(): Promise<void> {
  expect(await pair.storage.ping()).toEqual({ writable: true, notes: [] });
  for (const write of Object.values(WRITES)) {
    const other = await created(pair.storage, 'other');
    expect((await settle(() => write(pair.storage, other))).outcome).not.toMatch(/^ERR/u);
  }
  await eventually(() => pair.storage.feedLagMs() < 1_000);
}
