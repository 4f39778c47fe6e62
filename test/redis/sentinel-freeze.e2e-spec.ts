import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { Announcements } from '../support/redis/announcements.js';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { runGroup } from '../support/storage/run-group.js';
import { settle } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import { created, WRITES, warmUp } from '../support/storage/storage-calls.js';
import { REJECT_UNREPLICATED, useSentinels } from '../support/redis/use-sentinels.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

/** The default. */
const DEADLINE_MS = 1_000;
/** The number of calls before the freeze, and after the frozen master has become a replica. */
const CALLS = 300;

const start = useSentinels();

describe('RedisSessionStorage with Sentinels whose master was frozen during a failover', () => {
  test('loses no acknowledged write and continues with the new master', async () => {
    const { sentinels, group } = await start(3, REJECT_UNREPLICATED);
    const history = await runGroup({
      storages: group.storages,
      seed: 1,
      meanwhile: async (countCalls) => {
        await eventually(() => countCalls() > CALLS);
        const master = await sentinels.master();
        // Replication is asynchronous: what only the master has when it freezes is lost, as docs/redis.md says.
        await master.call('CLIENT', 'PAUSE', '3000', 'WRITE');
        await master.waitForReplicas(2);
        master.freeze();
        const successor = await sentinels.waitForNewMaster(master);
        const announcedAt = performance.now();
        const witness = await group.witness(successor);
        await group.waitUntilWritable();
        expect(performance.now() - announcedAt).toBeLessThan(recoveryMs());
        master.resume();
        await eventually(async () => isReplica(master));
        await eventually(() => group.allReceivedGap);
        const resumed = countCalls();
        await eventually(() => countCalls() > resumed + CALLS);
        return witness;
      },
    });
    expect(describeViolations(checkHistory(history))).toEqual([]);
    const outcomes = new Set(history.calls.map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['ok', 'refused', 'not-applied', 'unknown']));
  });
});

describe('writes of RedisSessionStorage that waited in the sockets of a frozen master', () => {
  test('are never applied, by the old master or the new one', async () => {
    const { sentinels, group } = await start(1);
    const [storage] = group.storages;
    const session = await created(storage!, 'ada');
    await warmUp(storage!);
    const master = await sentinels.master();
    const announced = await Announcements.of(master, group.keyPrefix);
    await master.waitForReplicas(2);
    const executed = await evaluated(master);
    master.freeze();
    const calls = await Promise.all(Object.values(WRITES).map((write) => settle(() => write(storage!, session))));
    expect(calls.map(({ outcome }) => outcome)).toEqual(calls.map(() => 'ERR_STORAGE_OUTCOME_UNKNOWN'));
    expect(Math.max(...calls.map(({ ms }) => ms))).toBeLessThan(DEADLINE_MS + slackMs());
    const successor = await sentinels.waitForNewMaster(master);
    master.resume();
    await eventually(async () => (await evaluated(master)) >= executed + calls.length);
    await eventually(async () => isReplica(master));
    expect(announced.changes).toBe(0);
    announced.close();
    const witness = await group.witness(successor);
    expect(await witness.listByLogin('ada')).toEqual([session]);
  });
});

/** The number of scripts that a server has run; 0 if a Sentinel has cut the connection. */
async function evaluated(server: RedisServer): Promise<number> {
  const counts = await server.commandCounts().catch((): Record<string, number> => ({}));
  return counts['evalsha'] ?? 0;
}

/** Whether a server has become a replica. Sentinels then cut its connections, possibly this one too. */
async function isReplica(server: RedisServer): Promise<boolean> {
  return (await server.info('replication', 'role').catch(() => '')) === 'slave';
}
