import { describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { shardsOf } from '@distributed-session/test-servers/redis/cluster-shards.js';
import { faultsOfCalls, faultsOfState } from '../support/storage/load-faults.js';
import { isApplied } from '../support/storage/load-session.js';
import { loginNames } from '../support/storage/login-names.js';
import type { SteadyLoad } from '../support/storage/steady-load.js';
import { useCluster } from '../support/redis/use-cluster.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

/** Writes that were acknowledged this long before the kill have reached the replica, even on a busy machine. */
const REPLICATED_MS = 2_000;
/** Users of the killed master, and users of the two other masters. */
const AFFECTED = [0, 1, 2];
const OTHERS = [3, 4, 5, 6];

// Otherwise the other masters reject all calls while some slots have no master.
const context = useCluster({ storages: 3, settings: { 'cluster-require-full-coverage': 'no' } });

describe('RedisSessionStorage on a cluster whose master was killed under load', () => {
  test('continues with the replica, and other users are not affected', async () => {
    const { cluster, group } = context;
    const [master] = cluster.nodes;
    const [storage] = group.storages;
    const isAffected = await shardsOf(cluster, master!, group.keyPrefix);
    const users = [...AFFECTED, ...OTHERS].map((user) =>
      loginNames(storage!, `user-${user}`, (shard) => isAffected(shard) === AFFECTED.includes(user)),
    );
    const load = group.startLoad(users);
    const startedAt = performance.now();
    const all = [...AFFECTED, ...OTHERS];
    await eventually(() => performance.now() > startedAt + REPLICATED_MS && load.haveWritten(all, startedAt));
    const killedAt = performance.now();
    await master!.kill();
    await cluster.waitForFailover(master!);
    const tookOverAt = performance.now();
    await eventually(() => load.haveWritten(all, tookOverAt));
    expect(performance.now() - tookOverAt).toBeLessThan(recoveryMs());
    await load.stop();
    await group.waitUntilWritable();

    const failed = load.calls.filter(({ user, outcome }) => OTHERS.includes(user) && outcome.startsWith('ERR_'));
    expect(failed.map(({ operation, outcome, message }) => [operation, outcome, message])).toEqual([]);
    const window = { acknowledgedBefore: killedAt - REPLICATED_MS };
    expect(faultsOfCalls(load, window)).toEqual([]);
    expect(await faultsOfState(load, storage!, window)).toEqual([]);
    const names = all.map((user) => users[user]!.next().value!);
    await group.waitUntilReceived(names);
    expect(group.received.map((received) => missedBy(received, load))).toEqual([[], [], []]);
  });
});

/** The created sessions that a listener did not receive, unless it received a gap. */
function missedBy(received: readonly StorageChange[], { calls }: SteadyLoad): string[] {
  if (received.some(({ type }) => type === 'feed.gap')) return [];
  const known = new Set(received.flatMap((change) => ('sessionId' in change ? [change.sessionId] : [])));
  const created = calls.filter((call) => call.operation === 'create' && isApplied(call));
  return created.map(({ session }) => session.sessionId).filter((id) => !known.has(id));
}
