import { Cluster, type ClusterOptions, type Redis, type RedisOptions, Command } from 'ioredis';
import { retryDelay } from '../../shared/retry-delay.js';
import type { RedisServerOptions } from '../redis-session-storage.options.js';
import { ReconnectingRedis, endQuietly } from './ioredis-fixes.js';
import { type RedisAddress, parseRedisUrl } from './redis-url.js';
import { SHARDS, type SessionKeys } from '../session-keys.js';

/**
 * The settings that the promises of this library need, where those of ioredis would run a command twice, run it after
 * its caller has given up, keep calls waiting, or stay with a master that is frozen.
 */
export const SAFE_OPTIONS = {
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 1_000,
  socketTimeout: 1_500,
  enableReadyCheck: true,
  // A server that loads its data is asked again soon, and not when it first said that it might be done.
  maxLoadingRetryTime: 500,
  failoverDetector: true,
  retryStrategy: retryDelay,
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
  sentinelRetryStrategy: retryDelay,
} satisfies RedisOptions;

/** As {@link SAFE_OPTIONS}; reads go to masters only, and a lost connection is no reason to send a command again. */
export function safeClusterOptions({ redisOptions, ...given }: ClusterOptions = {}): ClusterOptions {
  const { connectTimeout, socketTimeout, maxRetriesPerRequest, maxLoadingRetryTime, reconnectOnError } = SAFE_OPTIONS;
  return {
    lazyConnect: true,
    scaleReads: 'master',
    retryDelayOnFailover: 0,
    retryDelayOnTryAgain: 25,
    retryDelayOnClusterDown: 100,
    // Bounded by the deadline of a call; each TRYAGAIN costs two.
    maxRedirections: 200,
    slotsRefreshTimeout: 1_000,
    slotsRefreshInterval: 2_000,
    clusterRetryStrategy: retryDelay,
    ...given,
    redisOptions: {
      connectTimeout,
      socketTimeout,
      maxRetriesPerRequest,
      maxLoadingRetryTime,
      reconnectOnError,
      ...redisOptions,
    },
  };
}

/** The client that the options describe; connected to nothing yet, unless it is the user's own. */
export function createClient(server: RedisServerOptions): Redis | Cluster {
  if (server.client) return server.client;
  const client = ownClient(server);
  // Also after it was closed: an error that nobody listens to is printed in full.
  client.on('error', () => {});
  if (isCluster(client)) client.on('+node', endQuietly);
  else endQuietly(client);
  return client;
}

function ownClient({ url, options, cluster }: RedisServerOptions): Redis | Cluster {
  if (cluster) return new Cluster([...cluster.nodes], safeClusterOptions(cluster.options));
  if (options) return new ReconnectingRedis({ ...SAFE_OPTIONS, ...options });
  return clientOf(parseRedisUrl(url!));
}

function clientOf(address: RedisAddress): Redis | Cluster {
  const { kind, nodes, options } = address;
  if (kind === 'cluster') return new Cluster([...nodes], safeClusterOptions({ redisOptions: options }));
  if (kind === 'server') return new ReconnectingRedis({ ...SAFE_OPTIONS, ...options, ...nodes[0]! });
  const encrypted = options.tls ? { enableTLSForSentinelMode: true, sentinelTLS: options.tls } : {};
  return new ReconnectingRedis({ ...SAFE_OPTIONS, ...options, ...encrypted, sentinels: [...nodes] });
}

/** The number of the database that the client of these options uses. */
export function databaseOf({ url, options, client }: RedisServerOptions): number {
  if (url !== undefined) return parseRedisUrl(url).options.db ?? 0;
  return (client && 'db' in client.options ? client.options.db : options?.db) ?? 0;
}

/** By its own word, not by its class: the user's client may come from another copy of ioredis. */
export function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

/** What about a client of the user's own is dangerous here: one sentence each. */
export function dangersOf(client: Redis | Cluster): string[] {
  const connection = (isCluster(client) ? client.options.redisOptions : client.options) ?? {};
  const dangers: string[] = [];
  if (!(Number(connection.socketTimeout) > 0)) {
    dangers.push('socketTimeout is not set: a frozen server keeps its connections. Set it to 1500.');
  }
  if (connection.maxRetriesPerRequest !== 0) {
    dangers.push('maxRetriesPerRequest is not 0: commands of an outage are kept for later. Set it to 0.');
  }
  if (isCluster(client)) {
    const { scaleReads, retryDelayOnFailover } = client.options;
    if (scaleReads !== 'master') {
      dangers.push('scaleReads is not "master": a replica may show an ended session as live. Set it to "master".');
    }
    if (retryDelayOnFailover !== 0) {
      dangers.push('retryDelayOnFailover is not 0: a write whose reply was lost is sent again. Set it to 0.');
    }
  } else {
    const { enableOfflineQueue, sentinels, failoverDetector, retryStrategy } = client.options;
    if (enableOfflineQueue) {
      dangers.push(
        'enableOfflineQueue is on: what your own code sends during an outage waits without bound. Set it to false.',
      );
    }
    if (sentinels && !failoverDetector) {
      dangers.push('failoverDetector is off: writes to a master that was replaced are lost. Set it to true.');
    }
    if (!retryStrategy) dangers.push('retryStrategy is off: a lost connection is not opened again. Set it.');
  }
  return dangers;
}

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
