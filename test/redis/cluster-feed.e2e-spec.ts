import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { shardsOf } from '@distributed-session/test-servers/redis/cluster-shards.js';
import { loginNames } from '../support/storage/login-names.js';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { useCluster } from '../support/redis/use-cluster.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

const context = useCluster({ storages: 2, isShared: true });
/** One user of each master. */
let logins: string[];

beforeEach(async () => {
  const { cluster, group } = context;
  const owners = (await cluster.masters()).map((master) => shardsOf(cluster, master, group.keyPrefix));
  logins = (await Promise.all(owners)).map((isOwn, index) => {
    return loginNames(group.storages[0]!, `user-${index}`, isOwn).next().value!;
  });
});

describe('The change feed on a cluster', () => {
  test('reconnects, reports a gap and receives all shards again after its connections were cut', async () => {
    const { cluster, group } = context;
    await group.waitUntilReceived(logins);
    expect(gaps()).toBe(0);
    const cutAt = performance.now();
    const cut = await Promise.all(cluster.nodes.map((node) => node.call('CLIENT', 'KILL', 'TYPE', 'pubsub')));
    expect(cut.reduce<number>((sum, count) => sum + Number(count), 0)).toBeGreaterThanOrEqual(2);
    await eventually(() => group.allReceivedGap);
    await group.waitUntilReceived(logins);
    expect(performance.now() - cutAt).toBeLessThan(recoveryMs());
    // Each feed reports a second one, because messages may be lost until the first heartbeats after the reconnection.
    await eventually(() => gaps() >= 4);
  });

  test.each([
    ['a message between its nodes is lost', (prefix: string, shard: string) => `{${prefix}:${shard}}:s`, 'INCR'],
    ['a message about a service is lost', (prefix: string) => `{${prefix}}:svc:s`, 'INCR'],
    [
      'a failover loses changes that were received',
      (prefix: string, shard: string) => `{${prefix}:${shard}}:s`,
      'DECR',
    ],
  ])('reports a gap when %s', async (_name, sequence, command) => {
    const { group } = context;
    await group.waitUntilReceived(logins);
    await eventually(() => group.received.every(({ length }) => length >= logins.length));
    for (const storage of group.storages) await beat(storage);
    expect(gaps()).toBe(0);
    const [session] = group.received[0]!.flatMap((change) => ('sessionId' in change ? [change.sessionId] : []));
    await callMaster(command, sequence(group.keyPrefix, session!.slice(0, 2)));
    await eventually(() => group.allReceivedGap);
  });

  test('reconnects to another master, reports a gap and receives all shards again after its node was killed', async () => {
    const { cluster, group } = context;
    await group.waitUntilReceived(logins);
    const counts = await Promise.all(cluster.nodes.map(feedsOf));
    const node = cluster.nodes[counts.findIndex((count) => count > 0)]!;
    await node.kill();
    await eventually(() => gaps() >= Math.max(...counts));
    await cluster.waitForFailover(node);
    const tookOverAt = performance.now();
    await group.waitUntilWritable();
    await group.waitUntilReceived(logins);
    // A feed on another node may reconnect too, because no heartbeat of the new master arrived in time.
    await eventually(async () => {
      const now = await Promise.all(cluster.nodes.filter((each) => each.isAlive).map(feedsOf));
      return now.reduce((sum, count) => sum + count, 0) === 2;
    });
    expect(performance.now() - tookOverAt).toBeLessThan(recoveryMs());
  });
});

/** The number of change feeds that are connected to a node. */
async function feedsOf(node: RedisServer): Promise<number> {
  const clients = String(await node.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return clients.split('\n').filter((client) => client.includes(' sub=1 ')).length;
}

/** Waits for a heartbeat of every master that is sent from now on. */
async function beat(storage: RedisSessionStorage): Promise<void> {
  const since = performance.now();
  await eventually(() => storage.feedLagMs() < performance.now() - since);
}

async function callMaster(command: string, key: string): Promise<void> {
  const { cluster } = context;
  const slot = Number(await cluster.nodes[0]!.call('CLUSTER', 'KEYSLOT', key));
  const master = await cluster.masterOfSlot(slot);
  await master.call(command, key);
}

function gaps(): number {
  return context.group.received.flat().filter(({ type }) => type === 'feed.gap').length;
}
