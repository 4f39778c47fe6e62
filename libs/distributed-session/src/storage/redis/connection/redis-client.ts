import type { ClusterOptions, RedisOptions } from 'ioredis';
import { retryDelay } from '../../shared/retries.js';
import type { RedisServerOptions } from '../redis-session-storage.options.js';
import { ReconnectingRedis, silenceCloseErrors } from './ioredis-fixes.js';
import { Cluster, Command, type Redis } from './ioredis.js';
import { type RedisAddress, parseRedisUrl } from './redis-url.js';
import { SHARDS, type SessionKeys } from '../session-keys.js';

/**
 * The settings that this library's guarantees require. With the defaults of ioredis a command may run twice or after its
 * caller has given up, calls may wait without bound, and a client may stay connected to a frozen master.
 */
export const SAFE_OPTIONS = {
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 1_000,
  socketTimeout: 1_500,
  enableReadyCheck: true,
  // Checks a loading server again soon, instead of after the server's own first estimate.
  maxLoadingRetryTime: 500,
  failoverDetector: true,
  retryStrategy: retryDelay,
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
  sentinelRetryStrategy: retryDelay,
} satisfies RedisOptions;

/** Returns {@link SAFE_OPTIONS} for a cluster: reads go to masters only, and a lost reply does not resend a command. */
export function safeClusterOptions({ redisOptions, ...given }: ClusterOptions = {}): ClusterOptions {
  const { connectTimeout, socketTimeout, maxRetriesPerRequest, maxLoadingRetryTime, reconnectOnError } = SAFE_OPTIONS;
  return {
    lazyConnect: true,
    scaleReads: 'master',
    retryDelayOnFailover: 0,
    retryDelayOnTryAgain: 25,
    retryDelayOnClusterDown: 100,
    // The deadline of a call is the bound; each TRYAGAIN costs two redirections.
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

/** Creates the client that the options describe, without connecting it. Returns `client` if that option is set. */
export function createClient(server: RedisServerOptions): Redis | Cluster {
  if (server.client) return server.client as Redis | Cluster;
  const client = ownClient(server);
  // ioredis prints unhandled errors, even after the client is closed.
  client.on('error', () => {});
  if (isCluster(client)) client.on('+node', silenceCloseErrors);
  else silenceCloseErrors(client);
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

/** Returns the number of the database that the client of these options uses. */
export function databaseOf({ url, options, ...given }: RedisServerOptions): number {
  const client = given.client as Redis | Cluster | undefined;
  if (url !== undefined) return parseRedisUrl(url).options.db ?? 0;
  return (client && 'db' in client.options ? client.options.db : options?.db) ?? 0;
}

/** Checks the client's flag, not its class: the `client` option may come from another copy of ioredis. */
export function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

/** Returns a warning for each setting of a caller's client that endangers the guarantees, with the value to set. */
export function redisClientWarnings(client: Redis | Cluster): string[] {
  const { socketTimeout, maxRetriesPerRequest } =
    (isCluster(client) ? client.options.redisOptions : client.options) ?? {};
  const warnings: string[] = [];
  if (!(Number(socketTimeout) > 0)) {
    warnings.push('socketTimeout is not set: connections to a frozen server stay open. Set it to 1500.');
  }
  if (maxRetriesPerRequest !== 0) {
    warnings.push('maxRetriesPerRequest is not 0: commands sent during an outage run later. Set it to 0.');
  }
  return [...warnings, ...(isCluster(client) ? clusterWarnings(client) : serverWarnings(client))];
}

function clusterWarnings({ options: { scaleReads, retryDelayOnFailover } }: Cluster): string[] {
  const warnings: string[] = [];
  if (scaleReads !== 'master') {
    warnings.push('scaleReads is not "master": a replica may return an ended session as live. Set it to "master".');
  }
  if (retryDelayOnFailover !== 0) {
    warnings.push('retryDelayOnFailover is not 0: a write whose reply was lost is sent again. Set it to 0.');
  }
  return warnings;
}

function serverWarnings({ options }: Redis): string[] {
  const { enableOfflineQueue, sentinels, failoverDetector, retryStrategy } = options;
  const warnings: string[] = [];
  if (enableOfflineQueue) {
    warnings.push(
      'enableOfflineQueue is on: commands that your code sends during an outage wait without bound. Set it to false.',
    );
  }
  if (sentinels && !failoverDetector) {
    warnings.push('failoverDetector is off: writes to a replaced master are lost. Set it to true.');
  }
  if (!retryStrategy) warnings.push('retryStrategy is off: the client does not reconnect. Set it to a function.');
  return warnings;
}

/** A master and one of its shards: commands on that shard's keys are routed to that master. */
export interface MasterShard {
  readonly shard: string;
  readonly node: Redis;
  /** On a cluster: the positions in `keys.sequences` of the streams that this master publishes. */
  readonly streams: readonly number[];
}

/** Returns each master with its first shard. A server outside a cluster owns all shards. */
export function masterShards(client: Redis | Cluster, keys: SessionKeys): MasterShard[] {
  if (!isCluster(client)) return [{ shard: SHARDS[0]!, node: client, streams: [] }];
  const nodes = new Map(client.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]));
  const found = new Map<string, MasterShard & { streams: number[] }>();
  for (const [stream, sequence] of keys.sequences.entries()) {
    const owner = client.slots[slotOf(sequence)]?.[0];
    const node = owner === undefined ? undefined : nodes.get(owner);
    if (owner === undefined || !node) continue;
    const shard = SHARDS[stream];
    if (shard !== undefined && !found.has(owner)) found.set(owner, { shard, node, streams: [] });
    // A master without a shard sends no heartbeats: another one reports the stream of the services.
    const master = found.get(owner) ?? found.values().next().value;
    master?.streams.push(stream);
  }
  return [...found.values()];
}

function slotOf(key: string): number {
  return new Command('get', [key]).getSlot();
}
