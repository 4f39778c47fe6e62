import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { OptionsError } from '../../errors/options.error.js';
import { RedisUrlError, parseRedisUrl } from './connection/redis-url.js';

/** Where the servers are: one of the four. */
export interface RedisServerOptions {
  /**
   * `redis://user:password@host:6379/0` (`rediss://` for TLS),
   * `redis-sentinel://user:password@host:26379,host:26379/0?name=mymaster` (`rediss-sentinel://`), or
   * `redis-cluster://user:password@host:6379,host:6379` (`rediss-cluster://`).
   */
  readonly url?: string;
  /** Options of ioredis for one server, or for Sentinel (`sentinels`, `name`). They go over the safe defaults. */
  readonly options?: RedisOptions;
  /** Nodes and options of ioredis for a cluster. They go over the safe defaults. */
  readonly cluster?: { readonly nodes: readonly ClusterNode[]; readonly options?: ClusterOptions };
  /** A client of your own. It is not closed here; settings of it that are dangerous are named in a warning. */
  readonly client?: Redis | Cluster;
}

export interface RedisSessionStorageOptions extends RedisServerOptions {
  /** What all keys and the channel begin with: letters, digits, `_`, `.`, `-` and `:`. Default `ds`. */
  readonly keyPrefix?: string;
  /**
   * Keeps login ids from being guessed from the names of keys: 16 characters or bytes at least, the same in every
   * process. Default: the key prefix, which hides nothing.
   */
  readonly tagKey?: string | Uint8Array;
  /** How long a call may take, in milliseconds. Default 1,000. */
  readonly deadlineMs?: number;
  /** How long `connect()` waits for servers that are starting, in milliseconds. Default 10,000. */
  readonly connectDeadlineMs?: number;
  /** How often the change feed shows that it works, in milliseconds. Default 1,000. */
  readonly heartbeatIntervalMs?: number;
  /**
   * What to do about a server that may throw sessions away when its memory is full (a `maxmemory-policy` other than
   * `noeviction`). Default `refuse`: `connect()` fails. `warn`: it is logged.
   */
  readonly onEvictionPolicy?: 'refuse' | 'warn';
}

/** The options with their defaults, checked. */
export type ResolvedRedisOptions = RedisServerOptions &
  Required<Omit<RedisSessionStorageOptions, keyof RedisServerOptions | 'tagKey'>> &
  Pick<RedisSessionStorageOptions, 'tagKey'>;

const SERVERS = ['url', 'options', 'cluster', 'client'] as const satisfies (keyof RedisServerOptions)[];
const DURATIONS = ['deadlineMs', 'connectDeadlineMs', 'heartbeatIntervalMs'] as const;
const DEFAULTS = {
  keyPrefix: 'ds',
  deadlineMs: 1_000,
  connectDeadlineMs: 10_000,
  heartbeatIntervalMs: 1_000,
  onEvictionPolicy: 'refuse',
} as const;
const KNOWN: readonly string[] = [...SERVERS, ...Object.keys(DEFAULTS), 'tagKey'];
const MIN_TAG_KEY_LENGTH = 16;

/** Checks the options; throws an {@link OptionsError} that names every fault. */
export function resolveRedisOptions(given: RedisSessionStorageOptions): ResolvedRedisOptions {
  const present = Object.fromEntries(
    Object.entries(given ?? {}).filter(([, value]) => value !== undefined && value !== null),
  );
  const options = { ...DEFAULTS, ...present } as ResolvedRedisOptions;
  const faults = [...unknownNames(present), ...serverFaults(options), ...valueFaults(options)];
  if (faults.length > 0) throw new OptionsError('The options of RedisSessionStorage are not usable:', faults);
  return Object.freeze(options);
}

function unknownNames(present: object): string[] {
  return Object.keys(present)
    .filter((name) => !KNOWN.includes(name))
    .map((name) => `${name} is no option. Known options: ${KNOWN.join(', ')}`);
}

function serverFaults(options: ResolvedRedisOptions): string[] {
  const given = SERVERS.filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    const which = given.length === 0 ? 'none is given' : `${given.join(' and ')} are given`;
    return [`exactly one of url, options, cluster and client says where Redis is; ${which}`];
  }
  const { url, cluster } = options;
  if (cluster && !(Array.isArray(cluster.nodes) && cluster.nodes.length > 0)) {
    return ['cluster.nodes must name one node at least, such as [{ host: "127.0.0.1", port: 7000 }]'];
  }
  if (url === undefined) return [];
  try {
    parseRedisUrl(url);
    return [];
  } catch (error) {
    return [error instanceof RedisUrlError ? error.message : 'url cannot be read'];
  }
}

function valueFaults(options: ResolvedRedisOptions): string[] {
  const { keyPrefix, tagKey, onEvictionPolicy } = options;
  const faults: string[] = [];
  if (typeof keyPrefix !== 'string' || !/^[\w.:-]{1,64}$/.test(keyPrefix)) {
    faults.push('keyPrefix must be 1 to 64 letters, digits, "_", ".", "-" or ":"');
  }
  const isKey = typeof tagKey === 'string' || tagKey instanceof Uint8Array;
  if (tagKey !== undefined && !(isKey && tagKey.length >= MIN_TAG_KEY_LENGTH)) {
    faults.push(`tagKey must be a string or Uint8Array of ${MIN_TAG_KEY_LENGTH} characters or bytes at least`);
  }
  for (const name of DURATIONS) {
    const value: unknown = options[name];
    if (!Number.isSafeInteger(value) || (value as number) < 10 || (value as number) > 600_000) {
      faults.push(`${name} must be a whole number of milliseconds from 10 to 600,000`);
    }
  }
  if (!['refuse', 'warn'].includes(onEvictionPolicy)) faults.push('onEvictionPolicy must be "refuse" or "warn"');
  return faults;
}
