import { RedisScript } from './redis-script.js';

/**
 * Stores the format and the fingerprint of the tag key, unless the store has them already.
 *
 * KEYS  meta: the hash that contains them.
 * ARGV  format; fingerprint of the tag key.
 * Returns  { format, fingerprint } of the store.
 * Atomicity  if several processes run it at once, one of them writes both.
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
