import { type Cluster, Command, type Redis } from 'ioredis';
import { SHARDS, type SessionKeys } from '../session-keys.js';
import { isCluster } from './redis-client.js';

/** A master, and a shard that it holds: what is asked under a key of that shard is asked of that master. */
export interface MasterShard {
  readonly shard: string;
  readonly node: Redis;
}

/** One shard of each master: the first of the shards it holds. A server that is no cluster holds all of them. */
export function masterShards(client: Redis | Cluster, keys: SessionKeys): MasterShard[] {
  if (!isCluster(client)) return [{ shard: SHARDS[0]!, node: client }];
  const nodes = new Map(client.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]));
  const found = new Map<string, MasterShard>();
  for (const shard of SHARDS) {
    const owner = client.slots[slotOf(keys.shard(shard).beat)]?.[0];
    const node = owner === undefined ? undefined : nodes.get(owner);
    if (owner !== undefined && node && !found.has(owner)) found.set(owner, { shard, node });
  }
  return [...found.values()];
}

function slotOf(key: string): number {
  return new Command('get', [key]).getSlot();
}
