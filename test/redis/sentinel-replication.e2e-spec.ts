import { describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { REJECT_UNREPLICATED, type SentinelsContext, useSentinels } from '../support/redis/use-sentinels.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

const start = useSentinels();

describe('RedisSessionStorage with Sentinels whose replication is cut before the master is killed', () => {
  test('rejects an end that would be lost, with min-replicas-to-write', async () => {
    const { before, after, found } = await endAcrossFailover(await start(2, REJECT_UNREPLICATED));
    expect(before).toMatchObject({ outcome: 'ended' });
    expect(after).toMatchObject({
      outcome: 'ERR_STORAGE_UNAVAILABLE',
      message: expect.stringContaining('min-replicas-to-write'),
    });
    expect(found).toEqual(['ended', 'live']);
  });

  test('acknowledges an end that the new master does not have, without min-replicas-to-write', async () => {
    const { before, after, found } = await endAcrossFailover(await start(2));
    expect([before.outcome, after.outcome]).toEqual(['ended', 'ended']);
    expect(found).toEqual(['ended', 'live']);
  });
});

describe('RedisSessionStorage with Sentinels whose master becomes a replica without a disconnect', () => {
  test('rejects writes as not applied and finds the new master', async () => {
    const { sentinels, group } = await start(2);
    const master = await sentinels.master();
    const [storage, other] = group.storages as [(typeof group.storages)[0], (typeof group.storages)[0]];
    const session: SessionRecord = await created(storage, 'ada');
    await master.waitForReplicas(2);
    const [replica] = await sentinels.replicas();
    await master.call('REPLICAOF', replica!.host, replica!.port);
    const rejected = await Promise.all([WRITES.create, WRITES.end].map((write) => settle(() => write(other, session))));
    for (const { outcome, message } of rejected) {
      expect(outcome).toBe('ERR_STORAGE_UNAVAILABLE');
      expect(message).toMatch(/is a replica, which accepts no writes|cannot be reached/u);
    }
    expect(rejected[0]!.message).toContain('is a replica, which accepts no writes');
    await sentinels.waitForNewMaster(master);
    const announcedAt = performance.now();
    await group.waitUntilWritable();
    expect(performance.now() - announcedAt).toBeLessThan(recoveryMs());
    expect(await other.listByLogin('ada')).toEqual([session]);
    expect(await WRITES.end(storage, session)).toMatchObject({ outcome: 'ended' });
    await group.waitUntilReceived(['after']);
    await eventually(() => group.allReceivedGap);
  });
});

/** Stops the replication without affecting clients and Sentinels. The master detects it. */
async function cutReplication(master: RedisServer): Promise<void> {
  await master.call('ACL', 'SETUSER', 'default', '-psync', '-sync');
  await master.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await eventually(async () => (await master.info('replication', 'connected_slaves')) === '0');
}

/** Ends one session before the replication is cut and one after it; returns the outcomes, and the states after a failover. */
async function endAcrossFailover({ sentinels, group }: SentinelsContext) {
  const master = await sentinels.master();
  const [storage] = group.storages;
  const sessions = [await created(storage!, 'ada'), await created(storage!, 'ben')] as const;
  const before = await settle(() => WRITES.end(storage!, sessions[0]));
  await master.waitForReplicas(2);
  await cutReplication(master);
  const after = await settle(() => WRITES.end(storage!, sessions[1]));
  await master.kill();
  const witness = await group.witness(await sentinels.waitForNewMaster(master));
  const found = await Promise.all(sessions.map(({ sessionId }) => witness.get(sessionId)));
  return { before, after, found: found.map((session) => session?.state) };
}
