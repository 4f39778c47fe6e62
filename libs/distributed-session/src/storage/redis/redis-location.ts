import type { Cluster, ClusterNode, Redis, RedisOptions } from 'ioredis';
import type { StoreLocation } from '../session-storage.js';
import { serverName } from '../shared/server-name.js';
import { databaseOf, isCluster } from './connection/redis-client.js';
import { parseRedisUrl } from './connection/redis-url.js';
import type { ResolvedRedisOptions } from './redis-session-storage.options.js';

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;

/** Returns where these options keep the sessions, without asking the server. */
export function redisLocation(options: ResolvedRedisOptions): StoreLocation {
  const database = databaseOf(options);
  const part = `keyPrefix "${options.keyPrefix}"${database === 0 ? '' : ` in database ${database}`}`;
  return { server: serverOf(options), part };
}

function serverOf({ url, options, cluster, ...given }: ResolvedRedisOptions): string | object {
  const client = given.client as Redis | Cluster | undefined;
  if (url !== undefined) {
    const { nodes, options: server } = parseRedisUrl(url);
    return withNodes(
      nodes.map(({ host, port }) => serverName(host, port)),
      server.name,
    );
  }
  if (cluster) return withNodes(cluster.nodes.map(nodeName));
  if (client === undefined) return serverOfOptions(options ?? {});
  // The nodes that a cluster's client was given are not public.
  return isCluster(client) ? client : serverOfOptions(client.options);
}

function serverOfOptions({ host, port, path, sentinels, name }: RedisOptions): string {
  if (sentinels) {
    const nodes = sentinels.map((node) => serverName(node.host, node.port ?? DEFAULT_SENTINEL_PORT));
    return withNodes(nodes, name);
  }
  return path ?? serverName(host, port ?? DEFAULT_PORT);
}

function nodeName(node: ClusterNode): string {
  return typeof node === 'object' ? serverName(node.host, node.port ?? DEFAULT_PORT) : String(node);
}

function withNodes(nodes: readonly string[], master?: string): string {
  const servers = nodes.toSorted().join(',');
  return master === undefined ? servers : `${master} of ${servers}`;
}
