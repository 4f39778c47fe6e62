import { mkdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, READS, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';

let server: RedisServer;
let pair: RedisStoragePair;
let session: SessionRecord;

beforeEach(async () => {
  server = await RedisServer.start();
  pair = await openRedisPair(server, { heartbeatIntervalMs: 200 });
  session = await created(pair.storage, 'ada');
});

afterEach(async () => {
  await pair.close();
  await server.stop();
});

async function expectReadsServed(): Promise<void> {
  for (const read of Object.values(READS))
    expect((await settle(() => read(pair.storage, session))).outcome).toBe('read');
  expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'live', version: 1 });
}

/** Each of the writes is told as not applied, with a way out, and was not. */
async function expectRefused(writes: (keyof typeof WRITES)[], message: RegExp): Promise<void> {
  for (const name of writes) {
    const told = await settle(() => WRITES[name](pair.storage, session));
    expect([name, told]).toMatchObject([
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

describe('a server whose memory is full', () => {
  test('creates and changes are refused, sessions are read, ended and swept, and it recovers', async () => {
    const [gone, brief] = [
      await created(pair.storage, 'gone'),
      { ...creation(pair.storage, 'brief'), idleTimeoutMs: 50 },
    ];
    await pair.storage.create(brief);
    await created(pair.storage, 'all');
    await server.call('CONFIG', 'SET', 'maxmemory', 1);
    await expectRefused(['create', 'replace', 'touch', 'rotate'], /maxmemory/u);
    await expectReadsServed();
    expect(await WRITES.end(pair.storage, gone)).toMatchObject({ outcome: 'ended' });
    expect(await WRITES.endAll(pair.storage, { ...gone, loginId: 'all' })).toHaveLength(1);
    await eventually(async () => (await pair.storage.get(brief.sessionId))?.state === 'ended');
    expect(await pair.storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS })).toBe(1);
    expect(await pair.storage.count()).toEqual({ sessions: 1, logins: 1 });
    await server.call('CONFIG', 'SET', 'maxmemory', 0);
    await expectWritable();
  });

  test('its feed still works: it is neither silent nor opened again and again, and ends are heard', async () => {
    const gone = await created(pair.storage, 'gone');
    const heard: string[] = [];
    pair.storage.changes(({ type }) => heard.push(type));
    await server.call('CONFIG', 'SET', 'maxmemory', 1);
    const startedAt = performance.now();
    await eventually(() => performance.now() - startedAt > 2_000);
    expect(pair.storage.feedLagMs()).toBeLessThan(1_000);
    await WRITES.end(pair.storage, gone);
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(['session.ended']);
  });
});

describe('a server that takes no writes', () => {
  test('with too few replicas: nothing is written, everything is read, and it recovers', async () => {
    const heard: string[] = [];
    pair.storage.changes(({ type }) => heard.push(type));
    await server.call('CONFIG', 'SET', 'min-replicas-to-write', 1);
    await eventually(() => pair.storage.feedLagMs() > 1_500);
    await expectRefused(Object.keys(WRITES) as (keyof typeof WRITES)[], /min-replicas-to-write/u);
    await expectReadsServed();
    await server.call('CONFIG', 'SET', 'min-replicas-to-write', 0);
    // Without heartbeats the feed is silent, and nothing says that it has lost anything.
    await eventually(() => pair.storage.feedLagMs() < 1_000);
    expect(heard).toEqual([]);
    await expectWritable();
  });

  test('since it cannot save to its disk: nothing is written, everything is read, and it recovers', async () => {
    await server.call('CONFIG', 'SET', 'save', '3600 1000000');
    // Where the file should be is a folder.
    const folder = `${server.folder}/dump.rdb`;
    await mkdir(`${folder}/that-is-not-empty`, { recursive: true });
    await server.call('BGSAVE');
    await eventually(async () => (await server.info('persistence', 'rdb_last_bgsave_status')) === 'err');
    await expectRefused(Object.keys(WRITES) as (keyof typeof WRITES)[], /cannot save its data to disk/u);
    await expectReadsServed();
    await rm(folder, { recursive: true });
    await server.call('BGSAVE');
    await eventually(async () => (await server.info('persistence', 'rdb_last_bgsave_status')) === 'ok');
    await expectWritable();
    expect(await pair.storage.get(session.sessionId)).toEqual(session);
  });

  test('as a replica, without a disconnect: nothing is written, and it recovers as a master', async () => {
    const master = await RedisServer.start();
    await server.call('REPLICAOF', master.host, master.port);
    await eventually(
      async () => (await settle(() => WRITES.create(pair.storage, session))).outcome === 'ERR_STORAGE_UNAVAILABLE',
    );
    await server.call('REPLICAOF', 'NO', 'ONE');
    await master.stop();
    const startedAt = performance.now();
    await eventually(async () => (await settle(() => created(pair.storage, 'afterwards'))).outcome === 'read');
    expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
  });
});
