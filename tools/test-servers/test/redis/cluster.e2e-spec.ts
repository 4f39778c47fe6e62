import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisCluster } from '../../src/redis/redis-cluster.js';

let cluster: RedisCluster;

beforeEach(async () => {
  cluster = await RedisCluster.start();
});

afterEach(() => cluster.stop());

/** The slot of every key with the hash tag `{tag}`, by the Redis Cluster specification. */
const SLOT_OF_TAG = 8_338;

describe('RedisCluster', () => {
  it('moves a slot with its keys from one master to another and pauses halfway', async () => {
    const [from, to] = [cluster.nodes[1]!, cluster.nodes[2]!];
    expect(await from.call('CLUSTER', 'KEYSLOT', '{tag}')).toBe(SLOT_OF_TAG);
    expect(await cluster.masterOfSlot(SLOT_OF_TAG)).toBe(from);
    for (let index = 0; index < 40; index += 1) await from.call('SET', `{tag}${index}`, 'value');
    let keysOnHalf: unknown[] = [];
    await cluster.migrateSlot(SLOT_OF_TAG, to, {
      onHalf: async () => {
        keysOnHalf = await Promise.all([from, to].map((node) => node.call('CLUSTER', 'COUNTKEYSINSLOT', SLOT_OF_TAG)));
      },
    });
    expect(keysOnHalf).toEqual([20, 20]);
    expect(await cluster.masterOfSlot(SLOT_OF_TAG)).toBe(to);
    expect(await to.call('CLUSTER', 'COUNTKEYSINSLOT', SLOT_OF_TAG)).toBe(40);
    expect(await to.call('GET', '{tag}39')).toBe('value');
    await expect(from.call('GET', '{tag}39')).rejects.toThrow('MOVED');
  });

  it('promotes the replica of a killed master, and makes the old master its replica when it returns', async () => {
    const [failed, successor] = [cluster.nodes[0]!, cluster.nodes[3]!];
    expect(await cluster.masters()).toEqual(expect.arrayContaining(cluster.nodes.slice(0, 3)));
    expect(await cluster.replicas()).toEqual(expect.arrayContaining(cluster.nodes.slice(3)));
    await failed.kill();
    expect(await cluster.waitForFailover(failed)).toBe(successor);
    expect(await cluster.masters()).toEqual(expect.arrayContaining([successor]));
    await failed.restart();
    await cluster.waitUntilReady();
    expect(await cluster.replicas()).toEqual(expect.arrayContaining([failed]));
    expect(await failed.info('replication', 'role')).toBe('slave');
  });
});
