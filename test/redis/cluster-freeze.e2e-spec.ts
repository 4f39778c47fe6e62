import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { Announcements } from '../support/redis/announcements.js';
import { shardsOf } from '@distributed-session/test-servers/redis/cluster-shards.js';
import { loginNames } from '../support/storage/login-names.js';
import { runGroup } from '../support/storage/run-group.js';
import { settle } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { useCluster } from '../support/redis/use-cluster.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

/** The default. */
const DEADLINE_MS = 1_000;
/** The number of calls before the freeze, and after the frozen master has become a replica. */
const CALLS = 300;

const context = useCluster({ storages: 3 });

describe('RedisSessionStorage on a cluster whose master was frozen during a failover', () => {
  test('loses no acknowledged write and continues with the new master', async () => {
    const { cluster, group } = context;
    const [master] = cluster.nodes;
    const history = await runGroup({
      storages: group.storages,
      seed: 2,
      meanwhile: async (countCalls) => {
        await eventually(() => countCalls() > CALLS);
        master!.freeze();
        await cluster.waitForFailover(master!);
        const tookOverAt = performance.now();
        await group.waitUntilWritable();
        expect(performance.now() - tookOverAt).toBeLessThan(recoveryMs());
        master!.resume();
        await cluster.waitUntilReady();
        const resumed = countCalls();
        await eventually(() => countCalls() > resumed + CALLS);
        await group.waitUntilWritable();
        return group.storages[0]!;
      },
    });
    expect(describeViolations(checkHistory(history))).toEqual([]);
    const outcomes = new Set(history.calls.map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['ok', 'refused', 'not-applied', 'unknown']));
  });

  test('never applies the writes that waited in the sockets of the frozen master', async () => {
    const { cluster, group } = context;
    const [master] = cluster.nodes;
    const [storage] = group.storages;
    const isOfMaster = await shardsOf(cluster, master!, group.keyPrefix);
    const logins = loginNames(storage!, 'user', isOfMaster);
    const session = await created(storage!, logins.next().value!);
    for (const write of Object.values(WRITES)) await write(storage!, await created(storage!, logins.next().value!));
    const announced = await Announcements.of(master!, group.keyPrefix);
    await master!.waitForReplicas(1);
    master!.freeze();
    const calls = await Promise.all(Object.values(WRITES).map((write) => settle(() => write(storage!, session))));
    expect(calls.map(({ outcome }) => outcome)).toEqual(calls.map(() => 'ERR_STORAGE_OUTCOME_UNKNOWN'));
    expect(Math.max(...calls.map(({ ms }) => ms))).toBeLessThan(DEADLINE_MS + slackMs());
    await cluster.waitForFailover(master!);
    master!.resume();
    await cluster.waitUntilReady();
    expect(announced.changes).toBe(0);
    announced.close();
    await group.waitUntilWritable();
    expect(await storage!.listByLogin(session.loginId)).toEqual([session]);
  });
});
