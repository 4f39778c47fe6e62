import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { slotOfShard } from '@distributed-session/test-servers/redis/cluster-shards.js';
import { faultsOfCalls, faultsOfState } from '../support/storage/load-faults.js';
import { loginNames } from '../support/storage/login-names.js';
import type { SteadyLoad } from '../support/storage/steady-load.js';
import { useCluster } from '../support/redis/use-cluster.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

const SHARD = '5a';
const USERS = [0, 1, 2, 3, 4, 5];

const context = useCluster({ storages: 3, isShared: true });

describe('RedisSessionStorage on a cluster whose slot migrates under load', () => {
  test('finds every session at any time and applies no write partially', async () => {
    const load = startLoad();
    for (let round = 0; round < 3; round++) {
      const startedAt = performance.now();
      await eventually(() => load.haveWritten(USERS, startedAt));
      await moveSlotAround(async () => {
        const count = load.calls.length;
        await eventually(() => load.calls.length > count + 2);
      });
    }
    const movedAt = performance.now();
    await eventually(() => load.haveWritten(USERS, movedAt));
    await load.stop();
    expect(faultsOfCalls(load)).toEqual([]);
    expect(outcomesOf(load)).not.toContain('ERR_STORAGE_OUTCOME_UNKNOWN');
    expect(await faultsOfState(load, context.group.storages[0]!)).toEqual([]);
  });

  test('rejects writes as not applied while a migration is interrupted', async () => {
    const load = startLoad();
    const startedAt = performance.now();
    await eventually(() => load.haveWritten(USERS, startedAt));
    await moveSlotAround(async () => {
      const count = load.calls.length;
      const isRejected = () => load.calls.slice(count).some(({ outcome }) => outcome.startsWith('ERR_'));
      await eventually(isRejected);
    });
    const movedAt = performance.now();
    await eventually(() => load.haveWritten(USERS, movedAt));
    expect(performance.now() - movedAt).toBeLessThan(recoveryMs());
    await load.stop();
    expect(faultsOfCalls(load)).toEqual([]);
    expect(outcomesOf(load)).not.toContain('ERR_STORAGE_OUTCOME_UNKNOWN');
    expect(await faultsOfState(load, context.group.storages[0]!)).toEqual([]);
  });
});

/** Starts a load of users on the shard whose slot migrates. */
function startLoad(): SteadyLoad {
  const { group } = context;
  const [storage] = group.storages;
  const users = USERS.map((user) => loginNames(storage!, `user-${user}`, (shard) => shard === SHARD));
  return group.startLoad(users);
}

/** Migrates the slot once around all masters. `onHalf` runs whenever half of its keys have moved. */
async function moveSlotAround(onHalf?: () => Promise<void>): Promise<void> {
  const { cluster, group } = context;
  const slot = slotOfShard(group.keyPrefix, SHARD);
  const from = await cluster.masterOfSlot(slot);
  const others = (await cluster.masters()).filter((master) => master !== from);
  for (const to of [...others, from]) await cluster.migrateSlot(slot, to, { onHalf });
}

function outcomesOf({ calls }: SteadyLoad): string[] {
  return [...new Set(calls.map(({ outcome }) => outcome))];
}
