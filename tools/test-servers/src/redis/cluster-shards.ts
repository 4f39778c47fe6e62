import { Command } from 'ioredis';
import { RedisClusterView } from './redis-cluster-view.js';
import type { RedisCluster } from './redis-cluster.js';
import type { RedisServer } from './redis-server.js';

/** The slot of a shard's keys. */
export function slotOfShard(keyPrefix: string, shard: string): number {
  return new Command('get', [`{${keyPrefix}:${shard}}`]).getSlot();
}

/** Returns whether a master currently serves a shard. */
export async function shardsOf(
  cluster: RedisCluster,
  master: RedisServer,
  keyPrefix: string,
): Promise<(shard: string) => boolean> {
  const view = await RedisClusterView.of(cluster.nodes[0]!);
  return (shard) => view.portOfSlot(slotOfShard(keyPrefix, shard)) === master.port;
}
