import { RedisScript } from './redis-script.js';

/**
 * Says which format and tag key this process writes with, unless the store already says so.
 *
 * KEYS  meta: the hash that keeps them.
 * ARGV  format; fingerprint of the tag key.
 * Returns  { format, fingerprint } as the store has them from now on.
 * Atomicity  of several processes at once, one writes both.
 */
export const claimStoreScript = new RedisScript({
  name: 'claim-store',
  keys: ['meta'],
  args: ['format', 'fingerprint'],
  body: `
redis.call('HSETNX', meta, 'format', format)
redis.call('HSETNX', meta, 'fingerprint', fingerprint)
return redis.call('HMGET', meta, 'format', 'fingerprint')
`,
});
