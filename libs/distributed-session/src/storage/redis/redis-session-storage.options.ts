import { Allow } from 'class-validator';
import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import { MAX_KEYS, NO_KEY } from '../../model/key-list.js';
import { IfGiven, IsDuration, IsOneOf, optionRule } from '../../options/option-rules.js';
import { validateOptions, withoutNulls } from '../../options/validate-options.js';
import { RedisUrlError, parseRedisUrl } from './connection/redis-url.js';

const MIN_TAG_KEY_LENGTH = 16;
const MIN_MS = 10;
const MAX_MS = 600_000;

/**
 * A `Redis` or `Cluster` client of ioredis 5.4.1 or later, or 6. It may come from another copy of ioredis, and of another
 * version, than the one that the library uses.
 */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  sendCommand(command: object): unknown;
  duplicate(options?: object): unknown;
}

/** The options of `RedisSessionStorage` after validation. The initial values are the defaults. Durations are milliseconds. */
export class ResolvedRedisOptions {
  /**
   * `redis://user:password@host:6379/0` (`rediss://` for TLS),
   * `redis-sentinel://user:password@host:26379,host:26379/0?name=mymaster` (`rediss-sentinel://`), or
   * `redis-cluster://user:password@host:6379,host:6379` (`rediss-cluster://`).
   */
  @Allow()
  readonly url?: string;

  /** ioredis options for one server, or for Sentinel (`sentinels`, `name`). They override the safe defaults. */
  @Allow()
  readonly options?: RedisOptions;

  /** ioredis nodes and options for a cluster. The options override the safe defaults. */
  @Allow()
  readonly cluster?: { readonly nodes: readonly ClusterNode[]; readonly options?: ClusterOptions };

  /** An existing ioredis client. The storage does not close it, and logs a warning for each unsafe setting. */
  @Allow()
  readonly client?: RedisClient;

  /**
   * Prefix of all keys and of the channel: letters, digits, `_`, `.`, `-` and `:`.
   *
   * @default 'ds'
   */
  @optionRule('isKeyPrefix', isKeyPrefix, 'must be 1 to 64 letters, digits, "_", ".", "-" or ":"', 'a string')
  readonly keyPrefix: string = 'ds';

  /**
   * Secret that prevents login ids from being guessed from key names: at least 16 characters or bytes, the same in every
   * process, or a list of up to 10 while it is changed. The first is the one to stay, and the entry `none` stands for the
   * key prefix.
   *
   * @default the key prefix, which hides nothing
   */
  @IfGiven()
  @IsTagKey()
  readonly tagKey?: string | Uint8Array | readonly (string | Uint8Array)[];

  /**
   * Maximum duration of a call.
   *
   * @default 1_000
   */
  @IsDuration(MIN_MS, MAX_MS)
  readonly deadlineMs: number = 1_000;

  /**
   * Maximum time that `connect()` waits for servers that are starting.
   *
   * @default 10_000
   */
  @IsDuration(MIN_MS, MAX_MS)
  readonly connectDeadlineMs: number = 10_000;

  /**
   * Interval of the heartbeats that detect a silent change feed.
   *
   * @default 1_000
   */
  @IsDuration(MIN_MS, MAX_MS)
  readonly heartbeatIntervalMs: number = 1_000;

  /**
   * Reaction to a server that may evict sessions when its memory is full (a `maxmemory-policy` other than `noeviction`):
   * `refuse` makes `connect()` throw, `warn` logs a warning.
   *
   * @default 'refuse'
   */
  @IsOneOf(['refuse', 'warn'])
  readonly onEvictionPolicy: 'refuse' | 'warn' = 'refuse';
}

const SERVERS = ['url', 'options', 'cluster', 'client'] as const;

/** The servers: exactly one of these options. */
export type RedisServerOptions = Pick<ResolvedRedisOptions, (typeof SERVERS)[number]>;

/**
 * Options of `RedisSessionStorage`: exactly one of `url`, `options`, `cluster` and `client`, and any of the others.
 *
 * @example
 * const options: RedisSessionStorageOptions = { url: 'redis://localhost:6379', keyPrefix: 'shop' };
 */
export type RedisSessionStorageOptions = Partial<ResolvedRedisOptions>;

/**
 * Validates the options, fills in the defaults and freezes the result. `null` counts as absent.
 *
 * @throws {OptionsError} with every error at once.
 */
export function resolveRedisOptions(given: RedisSessionStorageOptions): ResolvedRedisOptions {
  const options = validateOptions('RedisSessionStorage', ResolvedRedisOptions, withoutNulls(given), serverErrors);
  return Object.freeze(options);
}

function serverErrors(options: RedisServerOptions): string[] {
  const given = SERVERS.filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is set' : `${given.join(' and ')} are set`;
    return [`exactly one of url, options, cluster and client is required: ${found}`];
  }
  const { url, cluster, client } = options;
  if (client && !isClient(client)) {
    return ['client must be a client of ioredis 5.4.1 or later, or 6: new Redis(…) or new Cluster(…)'];
  }
  if (cluster && !(Array.isArray(cluster.nodes) && cluster.nodes.length > 0)) {
    return ['cluster.nodes must contain at least one node, such as [{ host: "127.0.0.1", port: 7000 }]'];
  }
  return url === undefined ? [] : urlErrors(url);
}

function isClient({ status, isCluster, sendCommand, duplicate }: Partial<RedisClient>): boolean {
  const methods = [sendCommand, duplicate];
  return (
    typeof status === 'string' &&
    typeof isCluster === 'boolean' &&
    methods.every((method) => typeof method === 'function')
  );
}

function urlErrors(url: string): string[] {
  try {
    parseRedisUrl(url);
    return [];
  } catch (error) {
    return [error instanceof RedisUrlError ? error.message : 'url cannot be parsed'];
  }
}

function isKeyPrefix(value: unknown): boolean {
  return typeof value === 'string' && /^[\w.:-]{1,64}$/.test(value);
}

function IsTagKey(): PropertyDecorator {
  const form = `a string or Uint8Array of at least ${MIN_TAG_KEY_LENGTH} characters or bytes`;
  const list = `a list of 1 to ${MAX_KEYS} different ones, in which '${NO_KEY}' stands for the key prefix`;
  return optionRule('isTagKey', isTagKeys, `must be ${form}, or ${list}`);
}

function isTagKeys(value: unknown): boolean {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (entries.length === 0 || entries.length > MAX_KEYS || !entries.every(isTagKey)) return false;
  return new Set(entries.map((entry) => Buffer.from(entry as string).toString('hex'))).size === entries.length;
}

function isTagKey(entry: unknown): boolean {
  const isText = typeof entry === 'string' || entry instanceof Uint8Array;
  return entry === NO_KEY || (isText && entry.length >= MIN_TAG_KEY_LENGTH);
}
