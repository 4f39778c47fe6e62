import type { Redis } from 'ioredis';

export interface DescribedKey {
  readonly key: string;
  /** `string`, `hash`, `list`, `set`, `zset` or `stream`. */
  readonly type: string;
  /** Seconds until it expires, rounded by Redis; -1 if it does not expire. */
  readonly ttl: number;
}

/** The command that reads a whole key, by type. */
const READERS: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  list: ['LRANGE', '0', '-1'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', '0', '-1', 'WITHSCORES'],
  stream: ['XRANGE', '-', '+'],
};

/** Every key that matches the pattern, sorted by name, without keys that expire meanwhile. */
export async function describeKeys(redis: Redis, pattern: string): Promise<DescribedKey[]> {
  const keys = new Set<string>();
  for await (const found of redis.scanStream({ match: pattern, count: 1_000 })) {
    for (const key of found as string[]) keys.add(key);
  }
  const described = await Promise.all(
    [...keys].toSorted().map(async (key) => {
      const [type, ttl] = await Promise.all([redis.type(key), redis.ttl(key)]);
      return { key, type, ttl };
    }),
  );
  return described.filter(({ type, ttl }) => type !== 'none' && ttl !== -2);
}

/** Every key with its type, its time to live and its content, one per line. */
export async function dumpKeys(redis: Redis): Promise<string> {
  const keys = await describeKeys(redis, '*');
  const lines = keys.map(async ({ key, type, ttl }) => `${key} (${type}, ${ttl}): ${await contents(redis, key, type)}`);
  return (await Promise.all(lines)).join('\n');
}

async function contents(redis: Redis, key: string, type: string): Promise<string> {
  const reader = READERS[type];
  if (!reader) throw new Error(`Keys of the type '${type}' are not supported.`);
  const [command, ...args] = reader;
  return text(await redis.callBuffer(command, [key, ...args]));
}

/** Converts bytes to text; ASCII within binary data stays readable. */
function text(reply: unknown): string {
  if (Array.isArray(reply)) return `[${reply.map(text).join(' ')}]`;
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : String(reply);
}
